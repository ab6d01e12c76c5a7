import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownCommands } from './console-blocks.ts';
import { runPage } from './run-page.ts';

const play = async (block: string): Promise<readonly string[]> => {
  const said: string[] = [];
  await runPage(shownCommands(`\`\`\`console\n${block}\n\`\`\``), {
    workingDirectory: '/',
    env: process.env,
    say: (line) => said.push(line),
  });
  return said;
};

test('a page that tells the truth runs to its end', async () => {
  assert.deepEqual(await play('$ pwd\n/\n$ echo one; echo two >&2\none\n…'), [
    '$ pwd',
    '/',
    '$ echo one; echo two >&2',
    'one\ntwo',
  ]);
});

test('a page that shows something else is wrong, at that line', async () => {
  await assert.rejects(
    play('$ true\n$ echo one\ntwo'),
    /^Error: line 3: echo one\nit is not what the page shows; it printed:\none/,
  );
});

test('a command that fails, also one before a pipe, is noticed even where no output is shown', async () => {
  await assert.rejects(play('$ false | cat'), /it ended with exit code 1/);
});

test('a command that the page shows failing must fail', async () => {
  const shown = '$ echo command terminated with exit code 22; exit 22\ncommand terminated with exit code 22';
  assert.equal((await play(shown)).length, 2);
  await assert.rejects(play(shown.replace('; exit 22', '')), /it ended with exit code 0/);
});
