import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlat } from './watch/is-flat.ts';
import { soak } from './watch/soak.ts';

test('after storms of changes and faults the index is what the server holds', {
  timeout: 120_000,
}, async () => {
  const seed = 4;
  const lines: string[] = [];
  const { differences, changes, faults } = await soak({
    seconds: 4,
    seed,
    storms: 2,
    tell: (line) => lines.push(line),
  });
  assert.deepEqual(differences, [], lines.join('\n'));
  assert.ok(changes > 1_200, `${changes} changes: a storm without changes proves nothing`);
  assert.ok(Object.keys(faults).length >= 3, `faults: ${JSON.stringify(faults)}`);
});

test('memory that grows with every storm is not flat, and one that jumps about is', () => {
  const storms = Array.from({ length: 12 }, (_, index) => index);
  assert.equal(isFlat(storms.map((storm) => 20e6 + storm * 2e6)), false);
  assert.equal(isFlat(storms.map((storm) => 20e6 + (storm % 3) * 2e6)), true);
  assert.equal(isFlat(storms.map((storm) => (storm < 4 ? 10e6 * storm : 40e6))), true, 'warming up');
});
