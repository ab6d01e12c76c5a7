import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aRateLimit, aRejected } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { account, createdAt, maybe } from './random-policies.ts';

const rate = fc.constantFrom(2, 3, 5, 8);

/** The total is the highest, as it must be. */
const rates = fc.record({
  total: maybe(fc.constantFrom(8, 9)),
  identity: maybe(rate),
  overrides: fc.array(
    fc.record({ requestsPerSecond: rate, serviceAccounts: fc.array(account, { maxLength: 2 }) }),
    { maxLength: 2 },
  ),
});
const server = fc.constantFrom('server-0', 'server-0', 'server-1');

const rateLimit = fc
  .record({ server, rates, createdAt })
  .map(({ rates: stated, ...said }) => aRateLimit({ ...said, ...stated }));

const rejected = fc
  .record({
    limits: fc.record({
      servers: fc.oneof(
        fc.constant('all' as const),
        server.map((name) => [name]),
      ),
      applies: fc.constantFrom('surely' as const, 'perhaps' as const),
      rates,
    }),
    createdAt,
  })
  .map((said) => aRejected('HTTPLocalRateLimitPolicy', said));

/** As often none as some; a few rejected. */
export const rateLimits = fc.oneof(
  fc.constant([]),
  fc.array(
    fc.oneof<fc.WeightedArbitrary<KubeObject<'HTTPLocalRateLimitPolicy'>>[]>(
      { arbitrary: rateLimit, weight: 6 },
      { arbitrary: rejected, weight: 1 },
    ),
    { minLength: 1, maxLength: 3 },
  ),
);
