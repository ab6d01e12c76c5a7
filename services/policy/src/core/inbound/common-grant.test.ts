import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Attempt, type ClientTls, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authorization } from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { anAuthorization } from '@gatehouse/testing/arbitrary-inbound';
import { aServerRow, ipOf } from '@gatehouse/testing/inbound-attempt';
import fc from 'fast-check';
import { count, rareIn, type Seen } from '../../../testing/properties/seen.ts';
import { network } from '../../../testing/random-policies.ts';
import { commonGrant } from './common-grant.ts';

const names = ['web.demo.mesh', 'api.demo.mesh', 'demo.mesh', 'mesh', 'spiffe://elsewhere/demo.mesh'];
const identity = fc.constantFrom(...names).map(parseIdentity);
const suffix = fc.constantFrom([], ['mesh'], ['demo', 'mesh'], ['a', 'demo', 'mesh']);
const small = fc.record({
  networks: fc.subarray(
    [
      network('10.0.0.0/8'),
      network('10.0.0.0/30', '10.0.0.2/32'),
      network('10.0.0.2/32'),
      network('0.0.0.0/0', '10.0.0.1/32'),
      network('fd00::/8', 'fd00::9'),
    ],
    { minLength: 1 },
  ),
  authentication: fc.oneof(
    fc.constantFrom({ kind: 'unauthenticated' } as const, { kind: 'tls' } as const),
    fc.record({
      kind: fc.constant('identities' as const),
      identities: fc.array(identity, { maxLength: 2 }),
      suffixes: fc.array(suffix, { maxLength: 2 }),
    }),
  ),
  meta: fc.constant({ kind: 'default', name: 'any' } as const),
});

const tls: fc.Arbitrary<ClientTls> = fc.oneof(
  fc.constantFrom<ClientTls>({ kind: 'none' }, { kind: 'anonymous' }, { kind: 'port-skipped' }),
  fc.constantFrom(...names).map((name) => ({
    kind: 'identified' as const,
    id: name.includes(':') ? ('uri' as const) : ('dns' as const),
    name,
  })),
);
const client = fc
  .constantFrom('10.0.0.1', '10.0.0.2', '10.9.9.9', '192.0.2.1', 'fd00::1', 'fd00::9')
  .map(ipOf);

const admits = (authorizations: readonly Authorization[], caller: Pick<Attempt, 'client' | 'tls'>): boolean =>
  evaluate(aServerRow({ authorizations }), { ...caller, traffic: { kind: 'tcp' } }, () => false).kind ===
  'allowed';

it('what two grants have in common admits exactly those whom both admit', () => {
  const seen: Seen = new Map();
  fc.assert(
    fc.property(small, small, fc.record({ client, tls }), (one, other, caller) => {
      const common = commonGrant(one, other);
      const admitted = common === undefined ? false : admits([{ ...common, meta: one.meta }], caller);
      const both = admits([one], caller) && admits([other], caller);
      assert.equal(admitted, both);
      count(seen, `${both ? 'admitted' : 'denied'}: ${caller.tls.kind}`);
    }),
    { numRuns: 20_000 },
  );
  const wanted = ['none', 'anonymous', 'identified'].map((kind) => `admitted: ${kind}`);
  assert.deepEqual(rareIn(seen, wanted, 50), [], JSON.stringify(Object.fromEntries(seen)));
});

it('what everybody is admitted to leaves a grant as it is, and no grant is without networks or names', () => {
  const all = { networks: everywhere, authentication: { kind: 'unauthenticated' } } as const;
  fc.assert(
    fc.property(anAuthorization, anAuthorization, (one, other) => {
      const same = commonGrant(one, all);
      assert.equal(same?.networks, one.networks);
      assert.equal(same?.authentication, one.authentication);
      const common = commonGrant(one, other);
      if (common === undefined) return;
      assert.ok(common.networks.length > 0);
      const { authentication } = common;
      if (
        authentication.kind === 'identities' &&
        authentication !== one.authentication &&
        authentication !== other.authentication
      )
        assert.ok(authentication.identities.length + authentication.suffixes.length > 0);
    }),
    { numRuns: 2_000 },
  );
});
