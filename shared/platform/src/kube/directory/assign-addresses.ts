import { createHash } from 'node:crypto';
import { printIp } from '@gatehouse/core/ip-network';

/** The pods' and the Services' addresses: parts of 127/8, so that a laptop can be the whole cluster (design §5.1). */
export const podNetwork = 0x7f40_0000;
export const serviceNetwork = 0x7f80_0000;
const hostBits = 22;
const hosts = 1 << hostBits;

/** One that has addresses, or wants one. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  /** As the manifest writes them. */
  readonly explicit: readonly string[];
  /** No address is written and one is wanted. */
  readonly wants: boolean;
  /** Why it may have the same address as others: it shares its node's, or does not run any more. */
  readonly shares: 'no' | 'its-node' | 'ended';
}

/** An address that two claim who cannot both have it, so that neither gets it. */
export interface Contested {
  readonly address: string;
  readonly claimants: readonly Claim[];
}

export interface Assignment {
  readonly addresses: ReadonlyMap<Claim, readonly string[]>;
  readonly contested: readonly Contested[];
}

const firstBits = (claim: Claim): number =>
  createHash('sha256').update(`${claim.namespace}/${claim.name}`).digest().readUInt32BE(0) >>>
  (32 - hostBits);

const byName = (a: Claim, b: Claim): number =>
  a.namespace === b.namespace ? compare(a.name, b.name) : compare(a.namespace, b.namespace);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Pods of one node's network share its address and pods that ended have none; all others have theirs alone. */
const contest = (claims: readonly Claim[]): readonly Contested[] => {
  const claimants = new Map<string, Claim[]>();
  for (const claim of claims) {
    if (claim.shares === 'ended') continue;
    for (const address of claim.explicit) {
      const others = claimants.get(address);
      if (others === undefined) claimants.set(address, [claim]);
      else others.push(claim);
    }
  }
  return [...claimants]
    .filter(([, all]) => all.length > 1 && all.some(({ shares }) => shares === 'no'))
    .map(([address, all]) => ({ address, claimants: all }));
};

/**
 * Explicit addresses first; then, in the order of namespaces and names, each claim gets the address that the first 22
 * bits of SHA-256(namespace/name) number in the /10 at `network`, or the next free one.
 */
export const assignAddresses = (claims: readonly Claim[], network: number): Assignment => {
  const ordered = [...claims].sort(byName);
  const contested = contest(ordered);
  const lost = new Set(contested.map(({ address }) => address));
  const taken = new Set(ordered.flatMap(({ explicit }) => explicit));
  const addresses = new Map<Claim, readonly string[]>();
  for (const claim of ordered) {
    if (!claim.wants || taken.size >= hosts) {
      const kept =
        claim.shares === 'ended' ? claim.explicit : claim.explicit.filter((address) => !lost.has(address));
      addresses.set(claim, kept);
      continue;
    }
    for (let host = firstBits(claim); ; host = (host + 1) % hosts) {
      const address = printIp({ family: 4, bits: BigInt(network + host) });
      if (taken.has(address)) continue;
      taken.add(address);
      addresses.set(claim, [address]);
      break;
    }
  }
  return { addresses, contested };
};
