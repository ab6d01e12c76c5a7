import { type IpAddress, type IpNetwork, type NetworkMatch, networkMask } from './ip-network.ts';

/** The networks of one family that have prefixes of one length. */
interface SameLength {
  readonly family: 4 | 6;
  readonly mask: bigint;
  /** By their bits: what is excepted from each that has these. */
  readonly networks: Map<bigint, (NetworkSet | undefined)[]>;
}

/**
 * Networks, ready to be asked about many addresses: a question costs as much as there are different lengths of prefixes,
 * not as there are networks. A tenant may write thousands of them beside a selector of thousands of pods.
 */
export class NetworkSet {
  readonly #byLength = new Map<string, SameLength>();

  constructor(networks: readonly NetworkMatch[]) {
    for (const { net, except } of networks) {
      const length = this.#lengthOf(net);
      const known = length.networks.get(net.bits) ?? [];
      known.push(except.length === 0 ? undefined : new NetworkSet(except.map(whole)));
      length.networks.set(net.bits, known);
    }
  }

  /** Whether one of the networks has the address and does not except it. */
  has(ip: IpAddress): boolean {
    for (const { family, mask, networks } of this.#byLength.values()) {
      if (family !== ip.family) continue;
      for (const excepted of networks.get(ip.bits & mask) ?? [])
        if (excepted === undefined || !excepted.has(ip)) return true;
    }
    return false;
  }

  #lengthOf({ family, prefix }: IpNetwork): SameLength {
    const key = `${family}/${prefix}`;
    const known = this.#byLength.get(key);
    if (known !== undefined) return known;
    const fresh: SameLength = { family, mask: networkMask(family, prefix), networks: new Map() };
    this.#byLength.set(key, fresh);
    return fresh;
  }
}

const whole = (net: IpNetwork): NetworkMatch => ({ net, except: [] });
