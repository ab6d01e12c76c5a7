import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkContains, parseNetwork, readIp } from '@gatehouse/core/ip-network';
import fc from 'fast-check';
import { assignAddresses, type Claim, podNetwork, serviceNetwork } from './assign-addresses.ts';

const claim = (name: string, said: Partial<Claim> = {}): Claim => ({
  namespace: 'demo',
  name,
  explicit: [],
  wants: said.explicit === undefined,
  ...said,
});

const assigned = (claims: readonly Claim[], network = podNetwork): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(assignAddresses(claims, network), ([{ namespace, name }, ip]) => [`${namespace}/${name}`, ip]),
  );

test('an address is the first 22 bits of SHA-256(namespace/name) in the /10, in every process', () => {
  // printf demo/frontend-0 | sha256sum → 37a05639…, and 0x37a05639 >> 10 is 13.232.21 in the /10.
  assert.deepEqual(assigned([claim('frontend-0')]), { 'demo/frontend-0': '127.77.232.21' });
  assert.deepEqual(assigned([claim('frontend-0')], serviceNetwork), {
    'demo/frontend-0': '127.141.232.21',
  });
});

test('a taken address moves on to the next free one, explicit addresses being taken first', () => {
  const claims = [
    claim('frontend-0'),
    claim('x', { explicit: ['127.77.232.21'] }),
    claim('y', { explicit: ['127.77.232.22', 'fd00::1'] }),
  ];
  assert.deepEqual(assigned(claims), { 'demo/frontend-0': '127.77.232.23' });
});

test('after the last address of the network comes its first', () => {
  // The name was searched for: its first 22 bits are all ones.
  const last = { 'demo/last-416011': '127.127.255.255' };
  assert.deepEqual(assigned([claim('last-416011')]), last);
  const other = claim('x', { explicit: ['127.127.255.255'] });
  assert.deepEqual(assigned([claim('last-416011'), other])['demo/last-416011'], '127.64.0.0');
});

const aClaim: fc.Arbitrary<Claim> = fc
  .record({
    name: fc.nat(50).map((n) => `p${n}`),
    namespace: fc.constantFrom('a', 'b'),
    explicit: fc.option(fc.constantFrom('127.64.0.1', '127.64.0.2', '10.0.0.1'), { nil: undefined }),
  })
  .map(({ explicit, ...said }) =>
    claim(said.name, {
      ...said,
      ...(explicit === undefined ? { wants: true } : { explicit: [explicit], wants: false }),
    }),
  );

const manyClaims = fc.uniqueArray(aClaim, {
  selector: ({ namespace, name }) => `${namespace}/${name}`,
  maxLength: 40,
});

test('assigned addresses are in the network, each once, and do not depend on the order of the claims', () => {
  const network = parseNetwork('127.64.0.0/10');
  fc.assert(
    fc.property(manyClaims, fc.nat(), (claims, turn) => {
      const given = assigned(claims);
      const at = claims.length === 0 ? 0 : turn % claims.length;
      assert.deepEqual(assigned([...claims.slice(at), ...claims.slice(0, at)].reverse()), given);
      const mine = Object.values(given);
      assert.equal(mine.length, claims.filter(({ wants }) => wants).length);
      const explicit = new Set(claims.flatMap((each) => each.explicit));
      assert.equal(new Set([...mine, ...explicit]).size, mine.length + explicit.size);
      for (const address of mine) {
        const ip = readIp(address);
        assert.equal(network.ok && ip !== undefined && networkContains(network.value, ip), true);
      }
    }),
  );
});
