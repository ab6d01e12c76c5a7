import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeDuration, encodeDuration } from './duration.ts';

test('durations are whole seconds and nanoseconds of the same sign', () => {
  const cases = [
    [0, 0n, 0],
    [1, 0n, 1_000_000],
    [1_500, 1n, 500_000_000],
    [86_400_000, 86_400n, 0],
    [0.25, 0n, 250_000],
    [999.9999999, 1n, 0],
    [-1_500, -1n, -500_000_000],
  ] as const;
  assert.equal(cases.length, 7);
  for (const [ms, seconds, nanos] of cases)
    assert.deepEqual(encodeDuration(ms), { seconds, nanos }, `${ms} ms`);
});

test('whole milliseconds come back as they went', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), (ms) =>
      assert.equal(decodeDuration(encodeDuration(ms)), ms),
    ),
  );
});

test('a duration that protobuf calls invalid is none', () => {
  assert.equal(decodeDuration(undefined), undefined);
  for (const [seconds, nanos] of [
    [1n, -1],
    [-1n, 1],
    [0n, 1_000_000_000],
    [0n, -1_000_000_000],
  ] as const) {
    assert.equal(decodeDuration({ seconds, nanos }), undefined);
  }
});
