import { everything } from '@gatehouse/core/label-selector';
import type { ServerAuthorizationSpec } from '@gatehouse/core/resources/kinds/linkerd';
import { aRejected, aServerAuthorization, labelled } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { account, createdAt, identityMatch, maybe, networks } from './random-policies.ts';

const serverAuthorization = fc
  .record({
    server: fc.constantFrom<ServerAuthorizationSpec['server']>(
      { kind: 'name', name: 'server-0' },
      { kind: 'name', name: 'server-1' },
      { kind: 'labels', selector: labelled({ tier: 'front' }) },
      { kind: 'labels', selector: everything },
      {
        kind: 'labels',
        selector: { matchLabels: {}, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
      },
    ),
    networks: maybe(fc.array(networks, { minLength: 1, maxLength: 2 })),
    clients: fc.oneof<fc.Arbitrary<ServerAuthorizationSpec['clients']>[]>(
      fc.constantFrom({ kind: 'unauthenticated' as const }, { kind: 'tls' as const }),
      fc
        .record({
          kind: fc.constant('identities' as const),
          identities: fc.array(identityMatch, { maxLength: 2 }),
          serviceAccounts: fc.array(account, { maxLength: 2 }),
        })
        .filter(({ identities, serviceAccounts }) => identities.length + serviceAccounts.length > 0),
    ),
    createdAt,
  })
  .map((spec) => aServerAuthorization(spec));

/** As often none as some: each admits many. */
export const serverAuthorizations = fc.oneof(
  { arbitrary: fc.constant([]), weight: 1 },
  {
    arbitrary: fc.array(
      fc.oneof(
        { arbitrary: serverAuthorization, weight: 9 },
        { arbitrary: fc.constant(aRejected('ServerAuthorization')), weight: 1 },
      ),
      { minLength: 1, maxLength: 2 },
    ),
    weight: 1,
  },
);
