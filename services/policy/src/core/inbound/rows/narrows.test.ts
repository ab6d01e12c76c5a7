import assert from 'node:assert/strict';
import test from 'node:test';
import type { Authorization, InboundServer, LocalRateLimit } from '@gatehouse/core/inbound/inbound-server';
import { everywhere, parseNetwork } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { mayNarrow } from './narrows.ts';

const networks = (...texts: readonly string[]) =>
  texts.map((text) => {
    const net = parseNetwork(text);
    if (!net.ok) assert.fail(text);
    return { net: net.value, except: [] };
  });

const authorization = (fields: Partial<Authorization> = {}): Authorization => ({
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: { kind: 'default', name: 'a' },
  ...fields,
});

const server = (
  authorizations: readonly Authorization[],
  protocol: InboundServer['protocol'] = { kind: 'opaque' },
) => ({ protocol, authorizations, meta: { kind: 'default', name: 'deny' } }) satisfies InboundServer;

const named = authorization({
  authentication: { kind: 'identities', identities: [parseIdentity('a')], suffixes: [] },
});
const from = (...texts: readonly string[]) => authorization({ networks: networks(...texts) });

const holed = networks('10.0.0.0/8').map(({ net }) => ({
  net,
  except: networks('10.0.0.1').map((hole) => hole.net),
}));

const http = (limit?: Partial<LocalRateLimit>): InboundServer['protocol'] => {
  const none = { meta: undefined, total: undefined, identity: undefined, overrides: [] };
  const rateLimit = limit && { rateLimit: { ...none, ...limit } };
  return { kind: 'http1', routes: [], ...rateLimit };
};
const override = (requestsPerSecond: number, name = 'web') => ({
  requestsPerSecond,
  identities: [parseIdentity(name)],
});

/** Before, after, and whether a client may lose access. */
const cases: readonly (readonly [InboundServer, InboundServer, boolean])[] = [
  [server([]), server([named]), false],
  [server([named]), server([]), true],
  [server([named]), server([from('10.0.0.1'), named]), false],
  [server([from('10.0.0.1')]), server([from('10.0.0.1', '10.0.0.2')]), false],
  [server([from('10.0.0.1', '10.0.0.2')]), server([from('10.0.0.1')]), true],
  [server([named]), server([authorization()]), true],
  [server([named]), server([{ ...named, meta: { kind: 'default', name: 'b' } }]), false],
  [server([from('10.0.0.0/8')]), server([authorization({ networks: holed })]), true],
  [server([named]), server([named], { kind: 'tls' }), true],
  [server([named], { kind: 'http1', routes: [] }), server([named], { kind: 'http1', routes: [] }), false],
  [server([from('10.0.0.1', '10.0.0.2')]), server([from('10.0.0.2'), from('10.0.0.1')]), false],
  [server([from('10.0.0.1'), named]), server([from('10.0.0.1')]), true],
  [server([named], http()), server([named], http({ total: 9 })), true],
  [server([named], http({ total: 9 })), server([named], http()), false],
  [server([named], http({ total: 9 })), server([named], http({ total: 10 })), false],
  [server([named], http({ total: 9 })), server([named], http({ total: 8 })), true],
  [server([named], http({ total: 9 })), server([named, from('10.0.0.1')], http({ total: 9 })), false],
  [server([named], http({ total: 9 })), server([], http({ total: 9 })), true],
  [server([named], http({ identity: 2 })), server([named], http({ total: 9 })), true],
  [server([named], http({ identity: 2 })), server([named], http({ identity: 1 })), true],
  [
    server([named], http({ overrides: [override(2)] })),
    server([named], http({ overrides: [override(3)] })),
    false,
  ],
  [
    server([named], http({ overrides: [override(2)] })),
    server([named], http({ overrides: [override(1)] })),
    true,
  ],
  [server([named], http({ overrides: [override(2)] })), server([named], http({ overrides: [] })), true],
  [
    server([named], http({ overrides: [override(2)] })),
    server([named], http({ overrides: [override(2, 'other')] })),
    true,
  ],
];

test('a row narrows unless everybody whom it admitted is surely admitted still, and as often', () => {
  assert.equal(cases.length, 24);
  for (const [at, [before, after, expected]] of cases.entries()) {
    assert.equal(mayNarrow(before, after), expected, `case ${at}`);
  }
});

test('judging a row of a thousand authorizations that all moved costs a few looks at each', () => {
  const many = Array.from({ length: 1_000 }, (_, at) =>
    from(`10.0.${at >> 8}.${at & 255}`, ...Array.from({ length: 20 }, (_each, host) => `10.1.${host}.1`)),
  );
  const started = process.cpuUsage();
  assert.equal(mayNarrow(server(many), server([named, ...many.toReversed()])), false);
  const { user, system } = process.cpuUsage(started);
  // A million comparisons of lists, as it once was, took 13 s.
  assert(user + system < 1_000_000, `${(user + system) / 1_000} ms`);
});
