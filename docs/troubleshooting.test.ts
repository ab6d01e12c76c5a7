import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { checkCommand } from '@gatehouse/cli/commands/check/check';
import { sectionsOf } from '@gatehouse/cli/commands/check/sections';
import { exitCode } from '@gatehouse/cli/exit-code';

const page = await readFile(new URL('./troubleshooting.md', import.meta.url), 'utf8');

test('every check has a heading that says more, and every heading a check', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  const checks = [...sectionsOf({}), ...sectionsOf({ pre: true })].flatMap((section) => section.checks);
  assert.deepEqual(new Set(headings), new Set(checks.map(({ name }) => name)));
  assert.equal(new Set(headings).size, headings.length);
});

test('the exit codes and options that the page names are the command’s', () => {
  const codes = [...page.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(codes, [exitCode.ok, exitCode.failed, exitCode.usage]);
  const known = checkCommand(() => undefined).options.map(({ long }) => long);
  for (const [, option = ''] of page.matchAll(/`gatehouse check (--\w+)/g))
    assert.ok(known.includes(option), option);
});
