import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type IdentityMatch, matchesIdentity } from './identity-match.ts';
import { IdentitySet } from './identity-set.ts';
import { parseIdentity } from './workload-identity.ts';

const labels = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
const identity = labels.map((parts) => parseIdentity(parts.join('.')));
const match: fc.Arbitrary<IdentityMatch> = fc.oneof(
  identity.map((one) => ({ kind: 'exact' as const, identity: one })),
  fc.oneof(labels, labels, fc.constant([])).map((parts) => ({ kind: 'suffix' as const, parts })),
);

it('has the identities that one of its matches means', () => {
  fc.assert(
    fc.property(fc.array(match, { maxLength: 4 }), identity, (matches, asked) => {
      assert.equal(
        new IdentitySet(matches).has(asked),
        matches.some((one) => matchesIdentity(one, asked)),
      );
    }),
    { numRuns: 2_000 },
  );
});
