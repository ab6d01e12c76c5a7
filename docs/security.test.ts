import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** The cells of the last column: a test file, and the title of the test where one is named. */
const shownBy = (page: string): readonly { readonly file: string; readonly title: string | undefined }[] =>
  [...page.matchAll(/\| `([^`|]+\.test\.ts)`(?:: “([^”]+)”)? +\|$/gm)].map(([, file = '', title]) => ({
    file,
    title,
  }));

test('each test that SECURITY.md names is there', async () => {
  const named = shownBy(await readFile(join(root, 'SECURITY.md'), 'utf8'));
  assert.ok(named.length >= 20, `only ${named.length} were found`);
  for (const { file, title } of named) {
    const text = await readFile(join(root, file), 'utf8');
    assert.ok(title === undefined || text.includes(title), `${file} has no test “${title}”`);
  }
});

test('each claim of SECURITY.md says No, Yes or For how long, and every No is shown by a test', async () => {
  const page = await readFile(join(root, 'SECURITY.md'), 'utf8');
  const claims = [...page.matchAll(/^\| ([^|]+\?) +\| ([^|]+?) +\|([^|]*)\|$/gm)];
  assert.ok(claims.length >= 25, `only ${claims.length} claims were found`);
  for (const [, what, answer = '', shown = ''] of claims) {
    assert.match(answer, /^(?:No|Yes|For )/, what ?? answer);
    if (!answer.startsWith('Yes')) assert.match(shown, /`.+\.test\.ts`/, `nothing shows: ${what}`);
  }
});
