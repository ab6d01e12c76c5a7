import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** The founding document, which lies beside a checkout (CONTRIBUTING, Sections of the contract). */
const contractAt = join(root, '..', 'shared', 'contract', 'linkerd-semantics.md');

/** What the page calls folders by. */
const folders = {
  'parse/': 'shared/platform/src/kube/parse/',
  'inbound/': 'services/policy/src/core/inbound/',
  'ports/': 'services/policy/src/ports/',
  'core/': 'shared/core/src/',
  'destination/': 'services/destination/src/',
  'wire/': 'shared/wire/src/',
} as const;

interface Line {
  readonly section: string;
  /** How the row of the contract begins. */
  readonly begins: string;
  readonly what: string;
  readonly shownBy: string;
}

const readPage = async (): Promise<readonly Line[]> => {
  const page = await readFile(join(root, 'docs', 'contract-coverage.md'), 'utf8');
  let section = '';
  const lines: Line[] = [];
  for (const text of page.split('\n')) {
    section = text.match(/^## ([23]\.\d+)/)?.[1] ?? section;
    const [, begins, what, shownBy] = text.match(/^\| (.+?) +\| (.*?) *\| (.+?) +\|$/) ?? [];
    if (begins === undefined || what === undefined || shownBy === undefined) continue;
    if (begins === 'Linkerd' || begins.startsWith('---')) continue;
    lines.push({ section, begins: plain(begins), what, shownBy });
  }
  return lines;
};

/** Without what only formats it. */
const plain = (text: string): string =>
  text
    .replaceAll(/[`*\\]|^[-\d]+\.? /g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

const testsOf = ({ shownBy }: Line): readonly { readonly file: string; readonly title: string }[] =>
  [...shownBy.matchAll(/`([^`]+\.test\.ts)`: “([^”]+)”/g)].map(([, file = '', title = '']) => {
    const [short, folder] = Object.entries(folders).find(([name]) => file.startsWith(name)) ?? ['', ''];
    return { file: folder + file.slice(short.length), title };
  });

/** Whole texts of the file, one after the other: the titles of a suite and of a test, or of a row of a table of tests. */
const holds = (source: string, title: string): boolean => {
  let from = 0;
  return title.split(' › ').every((part) => {
    const places = [`'${part}'`, `"${part}"`, `\`${part}\``].map((text) => source.indexOf(text, from));
    from = Math.max(...places);
    return from >= 0;
  });
};

test('each test that docs/contract-coverage.md names is there, under that title', async () => {
  const lines = await readPage();
  const missing: string[] = [];
  let named = 0;
  for (const { file, title } of lines.flatMap(testsOf)) {
    named += 1;
    const source = await readFile(join(root, file), 'utf8').catch(() => '');
    if (!holds(source, title)) missing.push(`${file} has no test “${title}”`);
  }
  assert.deepEqual(missing, []);
  assert.ok(named > 100, `only ${named} were found`);
});

test('each line of the page names a test, and what differs says how it is shown', async () => {
  const lines = await readPage();
  const bare = lines.filter(
    (line) => testsOf(line).length === 0 && !/^not (?:built yet|supported): /.test(line.shownBy),
  );
  assert.deepEqual(
    bare.map(({ begins }) => begins),
    [],
  );
  const odd = lines.filter(
    ({ shownBy }) => !/^(?:`|differs: |not built yet: |not supported: )/.test(shownBy),
  );
  assert.deepEqual(
    odd.map(({ begins }) => begins),
    [],
  );
});

/** The rows of tables, the items of lists and the paragraphs of sections 2 and 3 that the page is about. */
const readContract = async (): Promise<
  readonly { readonly section: string; readonly row: string; readonly must: boolean }[]
> => {
  const text = await readFile(contractAt, 'utf8');
  const chapters = [
    text.slice(text.indexOf('\n# 2. '), text.indexOf('\n# 2b. ')),
    text.slice(text.indexOf('\n# 3. '), text.indexOf('\n# 4. ')),
  ];
  const rows: { section: string; row: string; must: boolean }[] = [];
  for (const part of chapters.flatMap((chapter) => chapter.split(/\n(?=## )/).slice(1))) {
    const section = part.match(/^## ([23]\.\d+)/)?.[1] ?? '';
    for (const block of part.split(/\n(?=\||- |\d+\. |[A-Z]\w+: |\n)/).slice(1)) {
      const row = block.trim();
      if (row === '') continue;
      // A table begins with its head and the line under it.
      if (/^\|[-|]+\|$/.test(row)) {
        rows.pop();
        continue;
      }
      const isRow = row.startsWith('| ');
      const named = isRow ? (row.split(' | ')[0] ?? '').slice(2) : row;
      rows.push({ section, row: plain(named), must: isRow || /^(?:- |\d+\. )/.test(row) });
    }
  }
  return rows.filter(({ section }) => !['2.12', '2.13', '3.8'].includes(section));
};

const noContract = existsSync(contractAt) ? false : 'the contract does not lie beside this checkout';

test('every row of the contract has a line, and every line a row', { skip: noContract }, async () => {
  const [lines, rows] = [await readPage(), await readContract()];
  const meantBy = (line: Line): readonly (typeof rows)[number][] => {
    const begun = rows.filter(({ section, row }) => line.section === section && row.startsWith(line.begins));
    const whole = begun.filter(({ row }) => row === line.begins);
    return whole.length === 0 ? begun : whole;
  };
  const covered = new Set(lines.flatMap(meantBy));
  const uncovered = rows.filter((row) => row.must && !covered.has(row));
  assert.deepEqual(
    uncovered.map(({ section, row }) => `${section} ${row.slice(0, 60)}`),
    [],
  );
  const strays = lines.filter((line) => meantBy(line).length !== 1);
  assert.deepEqual(
    strays.map(({ section, begins }) => `${section} ${begins}`),
    [],
  );
  assert.ok(rows.length > 70, `only ${rows.length} rows were found`);
});
