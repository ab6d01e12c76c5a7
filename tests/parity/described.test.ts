import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { described } from './described.ts';

const root = join(import.meta.dirname, '..', '..');

/** The rows of the table in docs/from-linkerd.md whose last cell names a test. */
const rowsOf = (page: string): readonly string[] =>
  page.split('\n').flatMap((line) => {
    const [, name, reason, shown] = line.match(/^\| (.+?) +\| (.+?) +\| (`.+”) +\|$/) ?? [];
    return name === undefined ? [] : [`${name} | ${reason} | ${shown}`];
  });

test('each difference has its reason, its test and its line in docs/from-linkerd.md, and each line a difference', async () => {
  const page = await readFile(join(root, 'docs', 'from-linkerd.md'), 'utf8');
  const written = described.map(
    ({ name, reason, shownBy }) => `${name} | ${reason} | \`${shownBy.file}\`: “${shownBy.title}”`,
  );
  assert.deepEqual([...rowsOf(page)].sort(), written.sort());
  for (const { shownBy } of described) {
    const source = await readFile(join(root, shownBy.file), 'utf8');
    assert.ok(source.includes(shownBy.title), `${shownBy.file} has no test “${shownBy.title}”`);
  }
  assert.equal(new Set(described.map(({ name }) => name)).size, described.length);
});
