import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, printDuration } from './duration.ts';

test('durations are whole numbers with a unit, in milliseconds', () => {
  const expected = {
    '0': 0,
    '0s': 0,
    '250ms': 250,
    '20s': 20_000,
    '5m': 300_000,
    '24h': 86_400_000,
    '1d': 86_400_000,
  };
  for (const [text, value] of Object.entries(expected)) {
    assert.deepEqual(parseDuration(text), { ok: true, value }, text);
  }
});

test('signs, fractions, compounds, other units and bare numbers are refused', () => {
  const wrong = [
    '',
    '20',
    '-1s',
    '+1s',
    '1.5s',
    '1h30m',
    '1 s',
    '1S',
    '1us',
    's',
    '1w',
    '00',
    `${'9'.repeat(13)}s`,
  ];
  for (const text of wrong) {
    assert.deepEqual(parseDuration(text, 'GATEHOUSE_X'), {
      ok: false,
      problems: [
        {
          field: 'GATEHOUSE_X',
          found: `\`${text}\` is not a valid duration`,
          fix: 'a whole number with ms, s, m, h or d, such as 20s',
        },
      ],
    });
  }
  assert.equal(wrong.length, 13);
});

test('what is printed is read back, in the largest unit that keeps it whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (ms) =>
      assert.deepEqual(parseDuration(printDuration(ms)), { ok: true, value: ms }),
    ),
  );
  const expected: readonly (readonly [number, string])[] = [
    [0, '0'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [172_800_000, '2d'],
  ];
  for (const [ms, text] of expected) assert.equal(printDuration(ms), text);
});
