const nothing: ReadonlySet<never> = new Set<never>();

/**
 * Sets by key; a set that becomes empty is gone, so that nothing grows by what has been forgotten. A lone value is kept
 * without a set of its own: with one entry for each address of each pod, most sets would hold one.
 */
export class SetMap<K, V extends object | string> {
  readonly #sets = new Map<K, V | Several<V>>();

  add(key: K, value: V): void {
    const held = this.#sets.get(key);
    if (held === undefined) this.#sets.set(key, value);
    else if (held instanceof Several) held.values.add(value);
    else if (held !== value) this.#sets.set(key, new Several(held, value));
  }

  remove(key: K, value: V): void {
    const held = this.#sets.get(key);
    if (held instanceof Several) {
      held.values.delete(value);
      if (held.values.size === 0) this.#sets.delete(key);
    } else if (held === value) this.#sets.delete(key);
  }

  get(key: K): ReadonlySet<V> {
    const held = this.#sets.get(key);
    if (held === undefined) return nothing;
    return held instanceof Several ? held.values : new Set([held]);
  }

  has(key: K): boolean {
    return this.#sets.has(key);
  }
}

class Several<V> {
  readonly values: Set<V>;

  constructor(...values: readonly V[]) {
    this.values = new Set(values);
  }
}
