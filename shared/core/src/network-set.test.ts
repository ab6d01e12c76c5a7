import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type IpNetwork, matchesNetwork, networkMask } from './ip-network.ts';
import { NetworkSet } from './network-set.ts';

/** Few different bits, so that networks hold one another and the addresses. */
const bits = fc.constantFrom(0n, 1n, 2n, 3n, 4n, 255n, 256n, 257n, 1n << 31n);
const network: fc.Arbitrary<IpNetwork> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    bits,
    shorter: fc.constantFrom(0, 1, 2, 8, 31, 32),
  })
  .map(({ family, bits: all, shorter }) => {
    const prefix = (family === 4 ? 32 : 128) - shorter;
    return { family, bits: all & networkMask(family, prefix), prefix };
  });
const match = fc.record({ net: network, except: fc.array(network, { maxLength: 3 }) });

it('has the addresses that one of its networks has and does not except', () => {
  fc.assert(
    fc.property(
      fc.array(match),
      fc.constantFrom(4 as const, 6 as const),
      bits,
      (matches, family, address) => {
        const ip = { family, bits: address };
        assert.equal(
          new NetworkSet(matches).has(ip),
          matches.some((one) => matchesNetwork(one, ip)),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});
