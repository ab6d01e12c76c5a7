import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openScreen, wrap } from './screen.ts';

test('lines break at spaces, and a word that is too long stands alone', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('a wwwwwwwwww b', 5), ['a', 'wwwwwwwwww', 'b']);
});

test('nothing the story says is wider than 80 columns', () => {
  const lines: string[] = [];
  const screen = openScreen({
    out: (text) => void lines.push(text),
    paint: (_, text) => text,
  });
  const long = 'word '.repeat(40).trim();
  screen.title('title', long);
  screen.step(1, long);
  screen.did(long);
  screen.saw('a client', long);
  screen.note(long);
  screen.verdict('21 of 21 as expected, in 12.3 s');
  screen.call({
    what: 'frontend > GET backend.demo:8080/',
    verdict: '200 allowed',
    allowed: true,
    expected: true,
  });
  assert.ok(lines.length > 10);
  for (const line of lines) assert.ok(line.length <= 80, line);
});
