import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { metaOf, withMeta } from './object-meta.ts';

/** One change of the store, under the revision it made. */
export interface StoreEvent {
  readonly revision: number;
  readonly resource: string;
  readonly key: string;
  /** Undefined when the object was made by this change. */
  readonly before: WireObject | undefined;
  /** Undefined when it was removed by it. */
  readonly after: WireObject | undefined;
}

/** Everything a store holds at one moment, to start another from: a backup of etcd. */
export interface StoreSnapshot {
  readonly revision: number;
  readonly objects: readonly { readonly resource: string; readonly object: WireObject }[];
}

/** `namespace/name`, or the name alone: objects are listed in the order of these keys, as etcd has them. */
export const objectKey = (namespace: string, name: string): string =>
  namespace === '' ? name : `${namespace}/${name}`;

interface Version {
  readonly revision: number;
  readonly object: WireObject | undefined;
}

/**
 * What etcd is to the API server: objects by key, one counter of revisions, old revisions readable until they are
 * compacted. Objects go in and out as they are; nothing here checks them. Holds `keep` to 2·`keep` changes.
 */
export class Store {
  readonly #keep: number;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #versions = new Map<string, Map<string, Version[]>>();
  readonly #sortedKeys = new Map<string, readonly string[]>();
  #log: StoreEvent[] = [];
  #revision: number;
  #compacted: number;

  constructor(keep: number, from: StoreSnapshot = { revision: 1, objects: [] }) {
    this.#keep = keep;
    this.#revision = from.revision;
    // Who restores a backup has no history before it.
    this.#compacted = from.revision;
    for (const { resource, object } of from.objects) {
      const { namespace = '', name = '', resourceVersion } = metaOf(object);
      const revision = Number(resourceVersion);
      this.#keysOf(resource).set(objectKey(namespace, name), [{ revision, object }]);
    }
  }

  get revision(): number {
    return this.#revision;
  }

  /** Reads at this revision or later are answered; at an earlier one they are gone. */
  get compacted(): number {
    return this.#compacted;
  }

  get(resource: string, key: string): WireObject | undefined {
    return this.#versions.get(resource)?.get(key)?.at(-1)?.object;
  }

  /** The objects of a resource as they stood at a revision, in the order of their keys. */
  *list(resource: string, from = '', at = this.#revision): Generator<readonly [string, WireObject]> {
    const versions = this.#versions.get(resource);
    if (versions === undefined) return;
    const keys = this.#keysSorted(resource, versions);
    for (let index = firstFrom(keys, from); index < keys.length; index += 1) {
      const key = keys[index] ?? '';
      const object = versions.get(key)?.findLast(({ revision }) => revision <= at)?.object;
      if (object !== undefined) yield [key, object];
    }
  }

  /** Writes an object under its own namespace and name; answers it with its new resourceVersion. */
  put(resource: string, object: WireObject): WireObject {
    const { namespace = '', name = '' } = metaOf(object);
    const revision = this.#revision + 1;
    const after = withMeta(object, { resourceVersion: `${revision}` });
    this.#record(resource, objectKey(namespace, name), after);
    return after;
  }

  /** Returns what was removed, under the revision of its removal; undefined when there was nothing. */
  remove(resource: string, key: string): WireObject | undefined {
    const before = this.get(resource, key);
    if (before === undefined) return undefined;
    this.#record(resource, key, undefined);
    return withMeta(before, { resourceVersion: `${this.#revision}` });
  }

  /** All changes after a revision, oldest first. */
  since(revision: number): readonly StoreEvent[] {
    let start = this.#log.length;
    while (start > 0 && (this.#log[start - 1]?.revision ?? 0) > revision) start -= 1;
    return this.#log.slice(start);
  }

  /** Tells `listener` of every change, in order, before the write that made it returns; answers how to stop. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets all history before a revision: reads and watches from there on are gone. */
  compact(revision = this.#revision): void {
    const dropped = this.#log.filter((event) => event.revision <= revision);
    this.#log = this.#log.slice(dropped.length);
    this.#compacted = Math.max(this.#compacted, revision);
    for (const { resource, key } of dropped) this.#forget(resource, key, revision);
  }

  snapshot(): StoreSnapshot {
    const objects = [...this.#versions.keys()].flatMap((resource) =>
      [...this.list(resource)].map(([, object]) => ({ resource, object })),
    );
    return { revision: this.#revision, objects };
  }

  #record(resource: string, key: string, after: WireObject | undefined): void {
    const versions = this.#keysOf(resource);
    const history = versions.get(key);
    const before = history?.at(-1)?.object;
    this.#revision += 1;
    const version = { revision: this.#revision, object: after };
    if (history === undefined) {
      versions.set(key, [version]);
      this.#sortedKeys.delete(resource);
    } else history.push(version);
    const event = { revision: this.#revision, resource, key, before, after };
    this.#log.push(event);
    const tooOld = this.#log.length > 2 * this.#keep ? this.#log.at(-this.#keep - 1) : undefined;
    if (tooOld !== undefined) this.compact(tooOld.revision);
    for (const listener of [...this.#listeners]) listener(event);
  }

  #forget(resource: string, key: string, revision: number): void {
    const versions = this.#versions.get(resource);
    const history = versions?.get(key);
    if (versions === undefined || history === undefined) return;
    const newest = history.findLastIndex((version) => version.revision <= revision);
    if (newest > 0) history.splice(0, newest);
    if (history.length === 1 && history[0]?.object === undefined) {
      versions.delete(key);
      this.#sortedKeys.delete(resource);
    }
  }

  #keysOf(resource: string): Map<string, Version[]> {
    const known = this.#versions.get(resource);
    if (known !== undefined) return known;
    const made = new Map<string, Version[]>();
    this.#versions.set(resource, made);
    return made;
  }

  #keysSorted(resource: string, versions: ReadonlyMap<string, unknown>): readonly string[] {
    const known = this.#sortedKeys.get(resource);
    if (known !== undefined) return known;
    const sorted = [...versions.keys()].sort(byBytes);
    this.#sortedKeys.set(resource, sorted);
    return sorted;
  }
}

/** Names and namespaces are ASCII, where the order of code units is that of etcd's bytes. */
const byBytes = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const firstFrom = (keys: readonly string[], from: string): number => {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
};
