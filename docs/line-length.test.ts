import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What an editor and a diff side by side still show. */
const longest = 140;

/**
 * The lines of prose that are too long, by number. Tables cannot be wrapped in Markdown, code is copied as it is, and a line
 * without a space after its indent and mark is one word.
 */
const tooLong = (text: string): readonly number[] => {
  let inCode = false;
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*```/.test(line)) inCode = !inCode;
    const isExempt =
      inCode || line.startsWith('|') || !/\S\s+\S/.test(line.replace(/^\s*(?:[-*>]|\d+\.)\s+/, ''));
    return line.length >= longest && !isExempt ? [index + 1] : [];
  });
};

test('no line of prose has 140 characters or more, but in pages that are generated', async () => {
  const found: string[] = [];
  let count = 0;
  for await (const page of glob('**/*.md', { cwd: root, exclude: ['**/node_modules', 'docs/reference'] })) {
    count += 1;
    for (const line of tooLong(await readFile(join(root, page), 'utf8'))) found.push(`${page}:${line}`);
  }
  assert.deepEqual(found, []);
  assert.ok(count > 40, `only ${count} pages were looked at`);
});

test('prose is measured, tables, code and single words are not', () => {
  const long = 'word '.repeat(30);
  const one = 'x'.repeat(200);
  assert.deepEqual(
    tooLong([long, `- ${long}`, `| ${long} |`, '```', long, '```', one, `- ${one}`, long].join('\n')),
    [1, 2, 9],
  );
});
