import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bundleSequence } from './bundle-sequence.ts';

test('the sequence is the time of the file, the same after a restart', () => {
  assert.equal(bundleSequence({ bundle: 'a', writtenAt: 700 }, undefined), 700);
});

test('the sequence stays while the bundle does, and rises with every change whatever the clock says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bundle: fc.constantFrom('a', 'b', 'c'), writtenAt: fc.nat() }), { minLength: 2 }),
      (seen) => {
        let before: { bundle: string; sequence: number } | undefined;
        for (const written of seen) {
          const sequence = bundleSequence(written, before);
          if (before !== undefined && written.bundle === before.bundle)
            assert.equal(sequence, before.sequence);
          else if (before !== undefined) {
            assert.ok(sequence > before.sequence);
            assert.ok(sequence >= written.writtenAt);
          }
          before = { bundle: written.bundle, sequence };
        }
      },
    ),
  );
});
