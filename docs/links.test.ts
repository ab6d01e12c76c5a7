import assert from 'node:assert/strict';
import { access, glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the links of a page lead inside the repository, without anchors. */
const localLinks = (text: string): readonly string[] =>
  [...text.matchAll(/\]\(([^)\s#]+)/g)].flatMap(([, to = '']) => (/^[a-z]+:/.test(to) ? [] : [to]));

test('every link between the pages leads somewhere', async () => {
  const broken: string[] = [];
  let links = 0;
  for await (const page of glob('**/*.md', { cwd: root, exclude: ['**/node_modules'] })) {
    for (const to of localLinks(await readFile(join(root, page), 'utf8'))) {
      links += 1;
      await access(join(root, dirname(page), to)).catch(() => broken.push(`${page}: ${to}`));
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(links > 15, `only ${links} links were looked at`);
});
