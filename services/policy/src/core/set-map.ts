const nothing: ReadonlySet<never> = new Set<never>();

/** Sets by key; a set that becomes empty is gone, so that nothing grows by what has been forgotten. */
export class SetMap<K, V> {
  readonly #sets = new Map<K, Set<V>>();

  add(key: K, value: V): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([value]));
    else set.add(value);
  }

  remove(key: K, value: V): void {
    const set = this.#sets.get(key);
    if (set === undefined) return;
    set.delete(value);
    if (set.size === 0) this.#sets.delete(key);
  }

  get(key: K): ReadonlySet<V> {
    return this.#sets.get(key) ?? nothing;
  }

  has(key: K): boolean {
    return this.#sets.has(key);
  }
}
