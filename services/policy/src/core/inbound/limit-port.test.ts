import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LocalRateLimit } from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import type { RejectedRateLimit } from '@gatehouse/core/resources/kinds';
import type { RequestRates, ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { aRateLimit, aRejected, aServer } from '@gatehouse/testing/builders';
import { aClusterConfig } from '../../../testing/a-cluster-config.ts';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation } from '../../../testing/situation.ts';

type Limits = Situation['rateLimits'];

const limited = (rateLimits: Limits, said: Partial<Situation> = {}): Situation =>
  aSituation({ servers: [aServer()], rateLimits, ...said });
const limitOf = (situation: Situation): LocalRateLimit | undefined =>
  rateLimitOf(compileSituation(situation).server.protocol);

const rates = (said: Partial<RequestRates> = {}): RequestRates => ({
  total: undefined,
  identity: undefined,
  overrides: [],
  ...said,
});
const broken = (
  said: Partial<RejectedRateLimit['limits']> & { readonly name?: string; readonly createdAt?: number } = {},
) => {
  const { name = 'broken', createdAt = 0, ...limits } = said;
  return aRejected('HTTPLocalRateLimitPolicy', {
    name,
    createdAt,
    limits: { servers: ['a'], applies: 'surely', rates: rates({ total: 7 }), ...limits },
  });
};

describe('an HTTPLocalRateLimitPolicy', () => {
  it('limits all clients, each identity, and some ServiceAccounts of its Server', () => {
    const policy = aRateLimit({
      name: 'web',
      total: 100,
      identity: 10,
      overrides: [{ requestsPerSecond: 50, serviceAccounts: [{ namespace: 'other', name: 'batch' }] }],
    });
    assert.deepEqual(limitOf(limited([policy])), {
      meta: {
        kind: 'resource',
        resource: { group: 'policy.linkerd.io', kind: 'HTTPLocalRateLimitPolicy', name: 'web' },
      },
      total: 100,
      identity: 10,
      overrides: [
        {
          requestsPerSecond: 50,
          identities: [identityOf(aClusterConfig().mesh, 'other', 'batch')],
        },
      ],
    });
    assert.deepEqual(compileSituation(limited([policy])).contributions.at(-1), {
      object: { kind: 'HTTPLocalRateLimitPolicy', namespace: 'demo', name: 'web' },
      effect: { kind: 'limits' },
    });
  });

  const protocols: readonly (readonly [ServerSpec['proxyProtocol'], limits: boolean])[] = [
    ['unknown', true],
    ['HTTP/1', true],
    ['HTTP/2', true],
    ['gRPC', false],
    ['opaque', false],
    ['TLS', false],
  ];
  for (const [proxyProtocol, limits] of protocols) {
    it(`of a Server of protocol ${proxyProtocol} ${limits ? 'limits' : 'limits nothing, and says so'}`, () => {
      const situation = limited([aRateLimit()], { servers: [aServer({ proxyProtocol })] });
      assert.equal(limitOf(situation)?.total, limits ? 100 : undefined);
      assert.deepEqual(findingsOf(situation), limits ? [] : ['LimitNeedsHTTP a']);
    });
  }
  it('covers the protocols', () => assert.equal(protocols.length, 6));

  it('limits its own Server alone, of its own namespace', () => {
    const rows: readonly (readonly [Limits, Partial<Situation>])[] = [
      [[aRateLimit({ server: 'other' })], {}],
      [[aRateLimit({ namespace: 'other' })], {}],
      [[aRateLimit()], { servers: [] }],
      [[aRateLimit()], { servers: [aServer({ createdAt: 1 }), aServer({ name: 'older' })] }],
    ];
    for (const [limits, said] of rows) assert.equal(limitOf(limited(limits, said)), undefined);
    assert.equal(rows.length, 4);
  });

  it('is the oldest of several, then the first by name; the others hear of it', () => {
    const policies = [
      aRateLimit({ name: 'c', total: 3 }),
      aRateLimit({ name: 'b', total: 2 }),
      aRateLimit({ name: 'a', total: 1, createdAt: 1 }),
    ];
    assert.equal(limitOf(limited(policies))?.total, 2);
    assert.deepEqual(findingsOf(limited(policies)), ['LimitOverlapped c', 'LimitOverlapped a']);
  });

  it('that states no limit keeps its place, and nothing is sent', () => {
    const policies = [aRateLimit({ name: 'none', total: undefined }), aRateLimit({ name: 'some' })];
    assert.equal(limitOf(limited(policies)), undefined);
  });

  it('of more requests than a proxy can be told limits to as many as it can', () => {
    assert.equal(limitOf(limited([aRateLimit({ total: 1e12 })]))?.total, 4_294_967_295);
  });
});

describe('a limit that cannot be read', () => {
  it('goes on in its place, with what could be read of it', () => {
    const situation = limited([broken(), aRateLimit({ total: 3, createdAt: 1 })]);
    assert.equal(limitOf(situation)?.total, 7);
    assert.deepEqual(findingsOf(situation), ['Rejected broken', 'LimitOverlapped a']);
    assert.match(
      compileSituation(situation).findings[0]?.message ?? '',
      /what could be read of it limits as before, and what could not counts as one request a second/,
    );
  });

  it('and may be for any Server limits each of the namespace', () => {
    assert.equal(limitOf(limited([broken({ servers: 'all', applies: 'perhaps' })]))?.total, 7);
  });

  it('and is perhaps not the one that counts: the lowest number that any states is for all clients together', () => {
    const others: Limits = [
      aRateLimit({ total: 30, identity: 20, createdAt: 1 }),
      aRateLimit({ name: 'b', total: 1, createdAt: 2 }),
    ];
    const perhaps = broken({ servers: 'all', applies: 'perhaps', rates: rates({ total: 25 }) });
    const { total, identity, overrides } = limitOf(limited([perhaps, ...others])) ?? {};
    assert.deepEqual([total, identity, overrides], [20, undefined, []]);
  });

  it('of a Server that perhaps governs counts beside that of the Server that else would', () => {
    const servers = [aRejected('Server', { name: 'older', governs: 'perhaps' }), aServer({ createdAt: 1 })];
    assert.equal(limitOf(limited([aRateLimit()], { servers }))?.total, 100);
    const both: Limits = [aRateLimit(), aRateLimit({ name: 'b', server: 'older', total: 200 })];
    assert.equal(limitOf(limited(both, { servers }))?.total, 100);
  });
});
