import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIdentity } from '../mesh/workload-identity.ts';
import type { ClientTls } from './evaluate-inbound.ts';
import type { LocalRateLimit } from './inbound-server.ts';
import { RateLimiter } from './rate-limit.ts';

const limit = (said: Partial<LocalRateLimit>): LocalRateLimit => ({
  meta: undefined,
  total: undefined,
  identity: undefined,
  overrides: [],
  ...said,
});
const as = (name: string): ClientTls => ({ kind: 'identified', id: 'dns', name });
const override = (requestsPerSecond: number, ...names: readonly string[]) => ({
  requestsPerSecond,
  identities: names.map(parseIdentity),
});
const plain: ClientTls = { kind: 'none' };
const tls: ClientTls = { kind: 'anonymous' };

/** Who calls in the first second, in this order, and which of the requests pass. */
const cases: readonly (readonly [
  title: string,
  LocalRateLimit,
  clients: readonly ClientTls[],
  passes: readonly boolean[],
])[] = [
  ['no limit', limit({}), [plain, plain, plain], [true, true, true]],
  ['a total is of all clients', limit({ total: 2 }), [as('a'), as('b'), plain], [true, true, false]],
  ['each identity by itself', limit({ identity: 1 }), [as('a'), as('b'), as('a')], [true, true, false]],
  ['all without an identity together', limit({ identity: 1 }), [plain, tls, as('a')], [true, false, true]],
  [
    'an override, in place of the limit of each identity',
    limit({ identity: 1, overrides: [override(2, 'a')] }),
    [as('a'), as('a'), as('a'), as('b'), as('b')],
    [true, true, false, true, false],
  ],
  [
    'the clients of an override together',
    limit({ overrides: [override(1, 'a', 'b')] }),
    [as('a'), as('b'), as('c')],
    [true, false, true],
  ],
  [
    'of two overrides for a client the last',
    limit({ overrides: [override(3, 'a'), override(1, 'a')] }),
    [as('a'), as('a')],
    [true, false],
  ],
  [
    'the total counts also what an override refuses',
    limit({ total: 2, overrides: [override(1, 'a')] }),
    [as('a'), as('a'), as('b')],
    [true, false, false],
  ],
];

for (const [title, rateLimit, clients, passes] of cases) {
  test(`a proxy counts ${title}`, () => {
    const limiter = new RateLimiter(rateLimit);
    assert.deepEqual(
      clients.map((client) => limiter.admits(client, 0)),
      passes,
    );
  });
}

test('the table of counted requests is whole', () => assert.equal(cases.length, 8));

test('the bucket fills at its rate, up to a second of requests', () => {
  const limiter = new RateLimiter(limit({ identity: 2 }));
  const at = (now: number) => limiter.admits(as('a'), now);
  assert.deepEqual([at(0), at(0), at(0)], [true, true, false]);
  assert.deepEqual([at(500), at(500)], [true, false]);
  assert.deepEqual([at(60_000), at(60_000), at(60_000)], [true, true, false]);
});
