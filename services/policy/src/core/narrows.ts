import type { Authorization, InboundServer } from '@gatehouse/shared/core/inbound-server';
import { printNetwork } from '@gatehouse/shared/core/ip-network';

/**
 * Whether a change of a row may refuse somebody who was admitted. False only if every client that the old row admits is
 * surely admitted by the new one; when in doubt, true. Rows that may narrow are sent before those that only widen.
 */
export const mayNarrow = (before: InboundServer, after: InboundServer): boolean =>
  keyOf(before.protocol) !== keyOf(after.protocol) ||
  !before.authorizations.every((old) => after.authorizations.some((now) => covers(now, old)));

const covers = (now: Authorization, old: Authorization): boolean => {
  if (keyOf(now.authentication) !== keyOf(old.authentication)) return false;
  const networks = new Set(now.networks.map(networkKey));
  return old.networks.every((network) => networks.has(networkKey(network)));
};

const networkKey = ({ net, except }: Authorization['networks'][number]): string =>
  [net, ...except].map(printNetwork).join(' ');

/** Networks hold bigints, which JSON does not know. */
const keyOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
