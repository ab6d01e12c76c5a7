import type {
  Authorization,
  InboundProtocol,
  InboundServer,
  LocalRateLimit,
} from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';
import type { Grant } from '../model.ts';

/**
 * Whether a change of a row may refuse somebody who was admitted. False only if every client that the old row admits is
 * surely admitted by the new one; when in doubt, true. Rows that may narrow are sent before those that only widen.
 */
export const mayNarrow = (before: InboundServer, after: InboundServer): boolean => {
  if (!isSame(withoutLimit(before.protocol), withoutLimit(after.protocol))) return true;
  if (mayLimitMore(rateLimitOf(before.protocol), rateLimitOf(after.protocol))) return true;
  // Lists change in few places, so what an authorization became is most often found where it was.
  const moved = before.authorizations.filter(
    (old, at) => !isSame(grantOf(old), grantOf(after.authorizations[at])),
  );
  if (moved.length === 0) return false;
  const admitted = networksByClient(after.authorizations);
  return !moved.every(({ authentication, networks }) => {
    const from = admitted.get(JSON.stringify(authentication));
    return from !== undefined && networks.every((network) => from.has(networkKey(network)));
  });
};

const withoutLimit = (protocol: InboundProtocol): InboundProtocol => {
  if (!('rateLimit' in protocol)) return protocol;
  const { rateLimit, ...rest } = protocol;
  return rest;
};

/** Whether fewer requests of anybody may pass. Where other clients are counted together than before, in doubt. */
const mayLimitMore = (before: LocalRateLimit | undefined, after: LocalRateLimit | undefined): boolean => {
  if (after === undefined) return false;
  if (before === undefined) return true;
  return (
    isLower(after.total, before.total) ||
    isLower(after.identity, before.identity) ||
    after.overrides.length !== before.overrides.length ||
    after.overrides.some((override, at) => {
      const old = before.overrides[at];
      return (
        old === undefined ||
        isLower(override.requestsPerSecond, old.requestsPerSecond) ||
        !isSame(override.identities, old.identities)
      );
    })
  );
};

const isLower = (after: number | undefined, before: number | undefined): boolean =>
  (after ?? Number.POSITIVE_INFINITY) < (before ?? Number.POSITIVE_INFINITY);

/** Whom it admits; not whose it is. */
const grantOf = (authorization: Authorization | undefined): Grant | undefined =>
  authorization && { authentication: authorization.authentication, networks: authorization.networks };

/** From where clients who authenticate in the same way are admitted, by any of the authorizations. */
const networksByClient = (
  authorizations: readonly Authorization[],
): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>();
  for (const { authentication, networks } of authorizations) {
    const client = JSON.stringify(authentication);
    const from = found.get(client) ?? new Set();
    for (const network of networks) from.add(networkKey(network));
    found.set(client, from);
  }
  return found;
};

const networkKey = ({ net, except }: NetworkMatch): string => [net, ...except].map(printNetwork).join(' ');

/** Deep equality of the plain values that rows are made of. */
const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key as never], b[key as never]))
  );
};
