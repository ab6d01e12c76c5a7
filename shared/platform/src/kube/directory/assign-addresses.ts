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
}

const firstBits = (claim: Claim): number =>
  createHash('sha256').update(`${claim.namespace}/${claim.name}`).digest().readUInt32BE(0) >>>
  (32 - hostBits);

const byName = (a: Claim, b: Claim): number =>
  a.namespace === b.namespace ? compare(a.name, b.name) : compare(a.namespace, b.namespace);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The addresses of those that want one. In the order of namespaces and names, each gets the address that the first 22 bits
 * of SHA-256(namespace/name) number in the /10 at `network`, or the next that is not written anywhere and not given yet.
 */
export const assignAddresses = (claims: readonly Claim[], network: number): ReadonlyMap<Claim, string> => {
  const taken = new Set(claims.flatMap(({ explicit }) => explicit));
  const addresses = new Map<Claim, string>();
  for (const claim of claims.filter(({ wants }) => wants).sort(byName)) {
    if (taken.size >= hosts) break;
    for (let host = firstBits(claim); ; host = (host + 1) % hosts) {
      const address = printIp({ family: 4, bits: BigInt(network + host) });
      if (taken.has(address)) continue;
      taken.add(address);
      addresses.set(claim, address);
      break;
    }
  }
  return addresses;
};
