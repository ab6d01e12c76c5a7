import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rowsAreNeverStale } from '../../../../testing/properties/never-stale.ts';
import { inboundKinds, watchedForInbound } from './inbound-kinds.ts';

test('after any batches every watched row is what a look at everything would compile, and its readers have it', () => {
  fc.assert(rowsAreNeverStale(), { numRuns: 150 });
});

test('each kind of the table is needed: struck out, rows go stale and the property notices', () => {
  assert.equal(watchedForInbound.length, 13);
  for (const kind of watchedForInbound) {
    const { failed } = fc.check(rowsAreNeverStale({ kinds: { ...inboundKinds, [kind]: () => {} } }), {
      numRuns: 3_000,
      endOnFailure: true,
    });
    assert.equal(failed, true, `nothing notices that ${kind} is not taken in`);
  }
});
