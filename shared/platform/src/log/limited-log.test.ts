import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitedLog } from './limited-log.ts';

test('at most one line an interval, and the next one counts what was left out', () => {
  let now = 1_000;
  const lines: unknown[] = [];
  const say = limitedLog((fields, message) => lines.push([fields, message]), {
    everyMs: 10_000,
    now: () => now,
  });
  say({ from: 'a' }, 'first');
  for (let count = 0; count < 99; count += 1) say({ from: 'b' }, 'again');
  now += 9_999;
  say({ from: 'c' }, 'again');
  now += 1;
  say({ from: 'd' }, 'later');
  now += 10_000;
  say({ from: 'e' }, 'much later');
  assert.deepEqual(lines, [
    [{ from: 'a' }, 'first'],
    [{ from: 'd', leftOut: 100 }, 'later'],
    [{ from: 'e' }, 'much later'],
  ]);
});
