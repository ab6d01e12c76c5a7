import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { budgets } from './budgets.ts';

test('docs/performance.md has the budgets that the bench keeps', async () => {
  const page = await readFile(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('\n## Budgets'), page.indexOf('\n## A connection'));
  const rows = [...section.matchAll(/^\| (\w+) +\| (\d+) +\|/gm)];
  assert.deepEqual(Object.fromEntries(rows.map(([, part, most]) => [part, Number(most)])), budgets);
});
