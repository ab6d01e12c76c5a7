import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseByteSize } from './byte-size.ts';

test('a size is a number with a unit of a power of 1024, or of bytes', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['512', 512],
    ['64KiB', 65_536],
    ['100MiB', 104_857_600],
    ['1GiB', 1_073_741_824],
    ['', undefined],
    ['1.5GiB', undefined],
    ['100MB', undefined],
    ['100 MiB', undefined],
    ['-1', undefined],
    ['9999999999', undefined],
  ];
  assert.equal(cases.length, 11);
  for (const [text, expected] of cases) {
    const outcome = parseByteSize(text, 'SIZE');
    assert.equal(outcome.ok ? outcome.value : undefined, expected, text);
  }
});
