import { printHostPort } from '@gatehouse/core/host-port';
import { type Balancer, balanceAuthority, balanceOne } from './balancer.ts';
import type { ControlPlane } from './control-plane.ts';
import type { DialOptions } from './dial.ts';
import { type Discovery, discover, printTarget } from './discovery.ts';
import type { Endpoint } from './endpoints.ts';
import type { OutboundTarget } from './outbound-target.ts';

/** What a client of a target holds: its discovery and its balancers live for as long as a lease does, and a little longer. */
export interface Lease {
  readonly discovery: Discovery;
  balancer(to: { readonly authority: string } | { readonly endpoint: Endpoint }): Balancer;
  /** Safe to call again. */
  release(): void;
}

export interface TargetCache {
  acquire(target: OutboundTarget): Lease;
  /** The targets in use and where their traffic can go. */
  list(): readonly { readonly target: string; readonly endpoints: readonly string[] }[];
  close(): Promise<void>;
}

interface Entry {
  readonly discovery: Discovery;
  readonly balancers: Map<string, Balancer>;
  holders: number;
  eviction: NodeJS.Timeout | undefined;
}

export interface TargetCacheOptions {
  readonly plane: ControlPlane;
  readonly dialOptions: DialOptions;
  /** How long what nobody holds is kept (contract/proxy.md §2.4). */
  readonly idleMs: number;
}

/** Shares discovery and connections between all who go to a target. */
export const createTargetCache = ({ plane, dialOptions, idleMs }: TargetCacheOptions): TargetCache => {
  const entries = new Map<string, Entry>();
  const evict = async (key: string, entry: Entry): Promise<void> => {
    clearTimeout(entry.eviction);
    entries.delete(key);
    const balancers = [...entry.balancers.values()].map((balancer) => balancer.close());
    await Promise.all([entry.discovery.close(), ...balancers]);
  };
  const balancerOf = (entry: Entry, to: Parameters<Lease['balancer']>[0]): Balancer => {
    const key = 'authority' in to ? to.authority : JSON.stringify(to.endpoint);
    const known = entry.balancers.get(key);
    if (known !== undefined) return known;
    const balancer =
      'authority' in to
        ? balanceAuthority(plane, to.authority, dialOptions)
        : balanceOne(to.endpoint, dialOptions);
    entry.balancers.set(key, balancer);
    return balancer;
  };
  return {
    acquire: (target) => {
      const key = printTarget(target);
      const entry: Entry = entries.get(key) ?? {
        discovery: discover(plane, target),
        balancers: new Map(),
        holders: 0,
        eviction: undefined,
      };
      entries.set(key, entry);
      clearTimeout(entry.eviction);
      entry.holders += 1;
      let held = true;
      return {
        discovery: entry.discovery,
        balancer: (to) => balancerOf(entry, to),
        release: () => {
          if (!held) return;
          held = false;
          entry.holders -= 1;
          const idle = entry.holders === 0 && entries.get(key) === entry;
          if (idle) entry.eviction = setTimeout(() => void evict(key, entry), idleMs);
        },
      };
    },
    list: () =>
      [...entries].map(([target, { balancers }]) => ({
        target,
        endpoints: [...balancers.values()].flatMap(({ endpoints }) =>
          endpoints.map(({ address }) => printHostPort(address)),
        ),
      })),
    close: async () => {
      await Promise.all([...entries].map(([key, entry]) => evict(key, entry)));
    },
  };
};
