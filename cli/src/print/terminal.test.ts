import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { openTerminal, type Stream } from './terminal.ts';

const terminal = (isTTY: boolean, env: Record<string, string> = {}) => {
  const stream: Stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  return openTerminal(stream, stream, env);
};

test('colours appear on a terminal only, and not where NO_COLOR or a dumb terminal forbids them', () => {
  assert.equal(terminal(true).paint('green', 'ok'), '\x1b[32mok\x1b[39m');
  assert.equal(terminal(false).paint('green', 'ok'), 'ok');
  assert.equal(terminal(true, { NO_COLOR: '1' }).paint('green', 'ok'), 'ok');
  assert.equal(terminal(true, { TERM: 'dumb' }).paint('green', 'ok'), 'ok');
});
