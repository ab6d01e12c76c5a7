import { isDeepStrictEqual } from 'node:util';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject, ObjectMeta } from '@gatehouse/core/resources/kinds';

/**
 * What was said of one kind, so that nothing is said twice and another life of a name is told from a change. It holds
 * the very objects that it delivered: anyone who indexes them shares their memory with it.
 */
export class KnownObjects {
  readonly #kind: Kind;
  #objects = new Map<string, KubeObject>();

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** The object as it is known already, when nothing about it is different; else the object itself. */
  known(object: KubeObject): KubeObject {
    const before = this.#objects.get(keyOf(object.meta));
    return before !== undefined && isDeepStrictEqual(before, object) ? before : object;
  }

  /** A full list: whatever is not in it is gone. */
  replace(objects: readonly KubeObject[]): readonly Change[] {
    this.#objects = new Map(objects.map((object) => [keyOf(object.meta), object]));
    return [{ type: 'reset', kind: this.#kind, objects: [...this.#objects.values()] } as Change];
  }

  apply(object: KubeObject): readonly Change[] {
    const key = keyOf(object.meta);
    const before = this.#objects.get(key);
    const changes: Change[] = [];
    if (before !== undefined) {
      if (before.meta.uid !== object.meta.uid) changes.push(this.#deleteOf(before));
      else if (isDeepStrictEqual(before, object)) return [];
    }
    this.#objects.set(key, object);
    changes.push({ type: 'apply', kind: this.#kind, object } as Change);
    return changes;
  }

  /** Only the life that was deleted: a new one under the same name stays. */
  delete(meta: Pick<ObjectMeta, 'namespace' | 'name' | 'uid'>): readonly Change[] {
    const before = this.#objects.get(keyOf(meta));
    if (before === undefined || before.meta.uid !== meta.uid) return [];
    this.#objects.delete(keyOf(meta));
    return [this.#deleteOf(before)];
  }

  #deleteOf({ meta: { namespace, name, uid } }: KubeObject): Change {
    return { type: 'delete', kind: this.#kind, namespace, name, uid };
  }
}

const keyOf = ({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string => `${namespace}/${name}`;
