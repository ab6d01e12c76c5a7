import type { Change, Unreadable } from './changes.ts';
import type { Kind, KubeObject } from './kinds.ts';

/** One object before and after a batch; at most one of the two is undefined, and they are never the same object. */
export interface Touched<K extends Kind = Kind> {
  readonly kind: K;
  readonly before: KubeObject<K> | undefined;
  readonly after: KubeObject<K> | undefined;
}

type Named<K extends Kind> = ReadonlyMap<string, KubeObject<K>>;
type Store = Map<string, Map<string, KubeObject>>;

const none: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * Every watched object by kind, namespace and name. The one place where `reset`, `apply` and `delete` mean anything;
 * a batch is applied whole before anybody reads, so a relist is seen by its result only.
 */
export class ResourceIndex {
  readonly #stores = new Map<Kind, Store>();
  readonly #synced = new Set<Kind>();
  #unreadable: Unreadable['manifests'] = [];

  /** Applies a batch in order and answers what it changed, each object once, with its state before the whole batch. */
  apply(changes: readonly Change[]): readonly Touched[] {
    const touched = new Map<string, Touched>();
    const note = (kind: Kind, before: KubeObject | undefined, after: KubeObject | undefined): void => {
      const meta = (after ?? before)?.meta;
      const key = `${kind}/${meta?.namespace}/${meta?.name}`;
      const first = touched.get(key);
      const origin = first === undefined ? before : first.before;
      if (origin === after) touched.delete(key);
      else touched.set(key, { kind, before: origin, after });
    };
    for (const change of changes) {
      switch (change.type) {
        case 'reset': {
          const old = this.#stores.get(change.kind);
          const fresh: Store = new Map();
          for (const object of change.objects) {
            put(fresh, object);
            note(change.kind, find(old, object.meta.namespace, object.meta.name), object);
          }
          for (const [namespace, names] of old ?? none) {
            for (const [name, object] of names as Map<string, KubeObject>) {
              if (find(fresh, namespace, name) === undefined) note(change.kind, object, undefined);
            }
          }
          this.#stores.set(change.kind, fresh);
          this.#synced.add(change.kind);
          break;
        }
        case 'apply': {
          const store = this.#storeOf(change.kind);
          const { namespace, name } = change.object.meta;
          note(change.kind, find(store, namespace, name), change.object);
          put(store, change.object);
          break;
        }
        case 'delete': {
          const names = this.#storeOf(change.kind).get(change.namespace);
          const before = names?.get(change.name);
          // A delete that arrives after the object was made again under another uid is about the old life.
          if (before === undefined || before.meta.uid !== change.uid) break;
          names?.delete(change.name);
          if (names?.size === 0) this.#storeOf(change.kind).delete(change.namespace);
          note(change.kind, before, undefined);
          break;
        }
        case 'unreadable':
          this.#unreadable = change.manifests;
          break;
      }
    }
    return [...touched.values()];
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): KubeObject<K> | undefined {
    return find(this.#stores.get(kind), namespace, name) as KubeObject<K> | undefined;
  }

  /** The objects of one namespace by name ('' for cluster-scoped kinds). */
  in<K extends Kind>(kind: K, namespace: string): Named<K> {
    return (this.#stores.get(kind)?.get(namespace) ?? none) as Named<K>;
  }

  namespacesOf(kind: Kind): readonly string[] {
    return [...(this.#stores.get(kind)?.keys() ?? [])];
  }

  *all<K extends Kind>(kind: K): Generator<KubeObject<K>> {
    for (const names of this.#stores.get(kind)?.values() ?? [])
      yield* names.values() as Iterable<KubeObject<K>>;
  }

  /** Whether every given kind has had its first full list. */
  isSynced(kinds: readonly Kind[]): boolean {
    return kinds.every((kind) => this.#synced.has(kind));
  }

  /** Manifests that nobody could read since the source started; while there is one, the base is deny everywhere. */
  get unreadable(): Unreadable['manifests'] {
    return this.#unreadable;
  }

  #storeOf(kind: Kind): Store {
    let store = this.#stores.get(kind);
    if (store === undefined) {
      store = new Map();
      this.#stores.set(kind, store);
    }
    return store;
  }
}

const find = (store: Store | undefined, namespace: string, name: string): KubeObject | undefined =>
  store?.get(namespace)?.get(name);

const put = (store: Store, object: KubeObject): void => {
  const { namespace, name } = object.meta;
  const names = store.get(namespace);
  if (names === undefined) store.set(namespace, new Map([[name, object]]));
  else names.set(name, object);
};
