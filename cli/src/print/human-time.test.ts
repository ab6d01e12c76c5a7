import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printClock, printMoment, printSpan } from './human-time.ts';

const [s, m, h, d] = [1_000, 60_000, 3_600_000, 86_400_000];

test('a length of time is told in the units that matter at its size', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5 * s, '0s'],
    [999, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [7 * m + 30 * s, '7m30s'],
    [10 * m + 59 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [5 * h + 40 * m, '5h40m'],
    [26 * h, '26h'],
    [2 * d + 3 * h, '2d3h'],
    [90 * d, '90d'],
    [730 * d + 40 * d, '2y40d'],
    [3_650 * d, '10y'],
  ];
  assert.equal(cases.length, 14);
  for (const [ms, text] of cases) assert.equal(printSpan(ms), text);
});

test('a moment is ahead or behind, and has a clock time in UTC', () => {
  const now = Date.parse('2026-11-22T10:00:00.500Z');
  assert.equal(printMoment(now + 20 * h, now), 'in 20h');
  assert.equal(printMoment(now - 3 * h, now), '3h ago');
  assert.equal(printMoment(now, now), '0s ago');
  assert.equal(printClock(now), '2026-11-22 10:00:00Z');
});
