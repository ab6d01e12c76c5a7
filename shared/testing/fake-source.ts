import { isDeepStrictEqual } from 'node:util';
import type { Change, Unreadable } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { KindHealth, Source } from '@gatehouse/platform/kube/source';

interface Watch {
  readonly kinds: readonly Kind[];
  readonly deliver: (changes: readonly Change[]) => void;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/**
 * A Source whose objects are what the test puts into it. Every change is delivered before the call that made it returns;
 * one call is one batch.
 */
export class FakeSource implements Source {
  readonly #fixture = new Map<Kind, Map<string, KubeObject>>();
  readonly #watches = new Set<Watch>();
  #unreadable: Unreadable['manifests'] = [];

  constructor(...objects: readonly KubeObject[]) {
    for (const object of objects) this.#storeOf(object.kind).set(keyOfObject(object), object);
  }

  run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const watch: Watch = { kinds, deliver };
    const first: Change[] = kinds.map((kind) => this.#resetOf(kind));
    if (this.#unreadable.length > 0) first.push({ type: 'unreadable', manifests: this.#unreadable });
    this.#watches.add(watch);
    deliver(first);
    return new Promise((resolve) => {
      const end = (): void => {
        this.#watches.delete(watch);
        resolve();
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }

  health(): readonly KindHealth[] {
    const kinds = new Set([...this.#watches].flatMap((watch) => watch.kinds));
    return [...kinds].map((kind) => ({ kind, synced: true, staleMs: 0 }));
  }

  /** Adds or replaces objects; what is equal is not said, and one with another uid is deleted first. */
  put(...objects: readonly KubeObject[]): void {
    const changes: Change[] = [];
    for (const object of objects) {
      const store = this.#storeOf(object.kind);
      const before = store.get(keyOfObject(object));
      if (isDeepStrictEqual(before, object)) continue;
      if (before !== undefined && before.meta.uid !== object.meta.uid) changes.push(deleteOf(before));
      store.set(keyOfObject(object), object);
      changes.push({ type: 'apply', kind: object.kind, object } as Change);
    }
    this.#deliver(changes);
  }

  /** Removes objects by kind and name; those that do not exist are passed over. */
  remove(...objects: readonly KubeObject[]): void {
    const changes: Change[] = [];
    for (const { kind, meta } of objects) {
      const before = this.#storeOf(kind).get(keyOf(meta.namespace, meta.name));
      if (before === undefined) continue;
      this.#storeOf(kind).delete(keyOf(meta.namespace, meta.name));
      changes.push(deleteOf(before));
    }
    this.#deliver(changes);
  }

  /** Replaces all objects of a kind by a relist: what is missing from it is gone without a delete. */
  relist(kind: Kind, ...objects: readonly KubeObject[]): void {
    this.#fixture.set(kind, new Map(objects.map((object) => [keyOfObject(object), object])));
    this.#deliver([this.#resetOf(kind)]);
  }

  /** Says which manifests nobody could read yet, as the directory source does. */
  unreadable(...manifests: Unreadable['manifests']): void {
    this.#unreadable = manifests;
    this.#deliver([{ type: 'unreadable', manifests }]);
  }

  #deliver(changes: readonly Change[]): void {
    for (const { kinds, deliver } of this.#watches) {
      const wanted = changes.filter((change) => change.type === 'unreadable' || kinds.includes(change.kind));
      if (wanted.length > 0) deliver(wanted);
    }
  }

  #resetOf(kind: Kind): Change {
    return { type: 'reset', kind, objects: [...this.#storeOf(kind).values()] } as Change;
  }

  #storeOf(kind: Kind): Map<string, KubeObject> {
    let store = this.#fixture.get(kind);
    if (store === undefined) {
      store = new Map();
      this.#fixture.set(kind, store);
    }
    return store;
  }
}

const keyOfObject = ({ meta }: KubeObject): string => keyOf(meta.namespace, meta.name);

const deleteOf = ({ kind, meta }: KubeObject): Change => ({
  type: 'delete',
  kind,
  namespace: meta.namespace,
  name: meta.name,
  uid: meta.uid,
});
