import type { Authorization, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';

/**
 * Whether a change of a row may refuse somebody who was admitted. False only if every client that the old row admits is
 * surely admitted by the new one; when in doubt, true. Rows that may narrow are sent before those that only widen.
 */
export const mayNarrow = (before: InboundServer, after: InboundServer): boolean => {
  if (!isSame(before.protocol, after.protocol)) return true;
  return !before.authorizations.every((old, at) => {
    // Lists change in few places, so what an authorization became is most often found where it was.
    const there = after.authorizations[at];
    if (there !== undefined && covers(there, old)) return true;
    return after.authorizations.some((now) => covers(now, old));
  });
};

const covers = (now: Authorization, old: Authorization): boolean => {
  if (!isSame(now.authentication, old.authentication)) return false;
  if (isSame(now.networks, old.networks)) return true;
  const networks = new Set(now.networks.map(networkKey));
  return old.networks.every((network) => networks.has(networkKey(network)));
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
