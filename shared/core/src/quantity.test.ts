import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity } from './quantity.ts';

test('quantities of cores and bytes are read as Kubernetes reads them', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['2', 2],
    ['100m', 0.1],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['1.', 1],
    ['64Mi', 64 * 2 ** 20],
    ['1k', 1000],
    ['1e3', 1000],
    ['1E3', 1000],
    ['2E', 2e18],
    ['5e-1', 0.5],
  ];
  assert.equal(cases.length, 12);
  for (const [text, value] of cases) {
    const outcome = parseQuantity(text);
    assert.deepEqual(outcome, { ok: true, value }, text);
  }
});

test('what is not a quantity is refused with its field', () => {
  for (const text of ['', '64MiB', '-1', '1 Gi', 'many', '1mi', '1e', '.', '0x10', 'NaN'])
    assert.deepEqual(parseQuantity(text, 'proxy.resources.memory.limit'), {
      ok: false,
      problems: [
        {
          field: 'proxy.resources.memory.limit',
          found: `\`${text}\` is not a valid quantity`,
          fix: 'write cores such as 100m or 2, bytes such as 64Mi',
        },
      ],
    });
});
