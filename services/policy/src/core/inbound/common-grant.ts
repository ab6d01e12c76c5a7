import type { Authentication } from '@gatehouse/core/inbound/inbound-server';
import { commonNetwork, type NetworkMatch } from '@gatehouse/core/ip-network';
import { endsIn, printSuffix, type SuffixParts } from '@gatehouse/core/mesh/identity-match';
import { type Identity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { Grant } from './model.ts';

/**
 * The clients that both grants admit; undefined where there are none. What of `a` the other grant does not narrow stays the
 * same object, so that what is known of it is known of the result.
 */
export const commonGrant = (a: Grant, b: Grant): Grant | undefined => {
  const networks = commonNetworks(a.networks, b.networks);
  const authentication = commonAuthentication(a.authentication, b.authentication);
  // A proxy refuses the whole server for an authorization without networks.
  return networks.length === 0 || authentication === undefined ? undefined : { networks, authentication };
};

const commonNetworks = (
  all: readonly NetworkMatch[],
  others: readonly NetworkMatch[],
): readonly NetworkMatch[] => {
  const common = all.flatMap((one) => {
    const parts = others.flatMap((other) => commonNetwork(one, other) ?? []);
    return parts.includes(one) ? [one] : parts;
  });
  const isWhole = common.length === all.length && common.every((one, at) => one === all[at]);
  return isWhole ? all : common;
};

const commonAuthentication = (a: Authentication, b: Authentication): Authentication | undefined => {
  if (b.kind === 'unauthenticated') return a;
  if (a.kind === 'unauthenticated') return b;
  // A client with an identity came by TLS that the proxy ended.
  if (b.kind === 'tls') return a;
  if (a.kind === 'tls') return b;
  return commonIdentities(a, b);
};

type Identities = Extract<Authentication, { kind: 'identities' }>;

const commonIdentities = (a: Identities, b: Identities): Identities | undefined => {
  const identities = unique(
    [...a.identities.filter(isAmong(b)), ...b.identities.filter(isAmong(a))],
    printIdentity,
  );
  const suffixes = unique(
    a.suffixes.flatMap((one) => b.suffixes.flatMap((other) => narrower(one, other))),
    printSuffix,
  );
  if (identities.length + suffixes.length === 0) return undefined;
  const isWhole =
    isSame(identities, a.identities, printIdentity) && isSame(suffixes, a.suffixes, printSuffix);
  return isWhole ? a : { kind: 'identities', identities, suffixes };
};

const isAmong = ({ identities, suffixes }: Identities): ((identity: Identity) => boolean) => {
  const names = new Set(identities.map(printIdentity));
  return (identity) => {
    const name = printIdentity(identity);
    // Suffixes speak of DNS names only (`contract/proxy.md` §6.2), and only URIs have a colon.
    return names.has(name) || (!name.includes(':') && suffixes.some((parts) => endsIn(parts, name)));
  };
};

/** The one of two suffixes that is below the other, if one is. */
const narrower = (one: SuffixParts, other: SuffixParts): readonly SuffixParts[] => {
  const [long, short] = one.length >= other.length ? [one, other] : [other, one];
  const isBelow = short.every((part, at) => part === long[long.length - short.length + at]);
  return isBelow ? [long] : [];
};

const unique = <T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];

const isSame = <T>(some: readonly T[], others: readonly T[], keyOf: (item: T) => string): boolean =>
  some.length === others.length &&
  some.every((item, at) => {
    const other = others[at];
    return other !== undefined && keyOf(item) === keyOf(other);
  });
