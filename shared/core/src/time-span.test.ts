import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printSpan, printTime } from './time-span.ts';

test('a span is said in the largest unit of which there are two, cut to whole ones', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 seconds'],
    [999, '0 seconds'],
    [1_000, '1 second'],
    [119_999, '119 seconds'],
    [120_000, '2 minutes'],
    [7_199_999, '119 minutes'],
    [7_200_000, '2 hours'],
    [172_799_999, '47 hours'],
    [172_800_000, '2 days'],
    [31_536_000_000, '365 days'],
  ];
  assert.equal(cases.length, 10);
  for (const [ms, text] of cases) assert.equal(printSpan(ms), text);
});

test('a time is printed to the second, in UTC, as Date prints it', () => {
  assert.equal(printTime(1_800_000_000_999), '2027-01-15T08:00:00Z');
  const times = fc.integer({ min: 0, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(times, (ms) => {
      assert.equal(printTime(ms), new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z'));
    }),
  );
});
