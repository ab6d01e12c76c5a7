import type { Snapshot } from '../snapshot.ts';
import type { Address } from './endpoint.ts';

/** What a proxy has been sent: a snapshot, or nothing yet on this stream. */
export type Sent = Snapshot | 'nothing';

/** One message of Get in our words. `add` never is empty, since a proxy ignores an empty one (`contract/proxy.md` §1.3). */
export type Message =
  | { readonly kind: 'add'; readonly addresses: readonly Address[] }
  | { readonly kind: 'remove'; readonly addresses: readonly Address[] }
  | { readonly kind: 'no-endpoints'; readonly exists: boolean };

/** A message, and what the proxy knows once it has it; not yet all of the newest when it was too much for one message. */
export interface Step {
  readonly message: Message;
  readonly reached: Snapshot;
}

export interface Limit {
  /** How many bytes an address takes in an `add`. */
  weigh(address: Address): number;
  /** How many bytes of addresses a message may hold. One that is larger alone is sent alone. */
  readonly bytes: number;
}

/**
 * The next message that brings a proxy from what it was sent to the newest snapshot; undefined when it is there.
 * It depends on these two alone, so whatever a slow stream missed in between is skipped, and streams in the same
 * position get the same bytes. Additions go first: a set that is replaced is never empty in between.
 */
export const nextStep = (sent: Sent, newest: Snapshot, limit: Limit): Step | undefined => {
  if (newest.kind === 'missing') {
    return sent !== 'nothing' && sent.kind === 'missing' ? undefined : noEndpoints(newest, false);
  }
  const known: ReadonlyMap<string, Address> | undefined =
    sent === 'nothing' || sent.kind === 'missing' ? undefined : sent.addresses;
  if (newest.addresses.size === 0) return known?.size === 0 ? undefined : noEndpoints(newest, true);
  return addStep(known ?? new Map(), newest, limit) ?? removeStep(known ?? new Map(), newest, limit);
};

type Addresses = ReadonlyMap<string, Address>;
type Filled = Snapshot & { readonly kind: 'addresses' };

const noEndpoints = (reached: Snapshot, exists: boolean): Step => ({
  message: { kind: 'no-endpoints', exists },
  reached,
});

const addStep = (known: Addresses, newest: Filled, limit: Limit): Step | undefined => {
  const missing = [...newest.addresses].filter(([key, address]) => known.get(key) !== address);
  if (missing.length === 0) return undefined;
  const added = missing.slice(0, howMany(missing, limit));
  const isAll = added.length === missing.length && covers(newest.addresses, known);
  return {
    message: { kind: 'add', addresses: added.map(([, address]) => address) },
    reached: isAll ? newest : { kind: 'addresses', addresses: new Map([...known, ...added]) },
  };
};

const removeStep = (known: Addresses, newest: Filled, limit: Limit): Step | undefined => {
  const gone = [...known].filter(([key]) => !newest.addresses.has(key));
  if (gone.length === 0) return undefined;
  const removed = gone.slice(0, howMany(gone, limit));
  const left = new Map(known);
  for (const [key] of removed) left.delete(key);
  return {
    message: { kind: 'remove', addresses: removed.map(([, address]) => address) },
    reached: removed.length === gone.length ? newest : { kind: 'addresses', addresses: left },
  };
};

const howMany = (entries: readonly (readonly [string, Address])[], limit: Limit): number => {
  let bytes = 0;
  for (const [index, [, address]] of entries.entries()) {
    bytes += limit.weigh(address);
    if (bytes > limit.bytes) return Math.max(1, index);
  }
  return entries.length;
};

const covers = (outer: Addresses, inner: Addresses): boolean => {
  for (const key of inner.keys()) if (!outer.has(key)) return false;
  return true;
};
