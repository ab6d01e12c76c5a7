/** What was worked out for a key, kept while it is asked for: of too many, the one that was not used for longest goes. */
export class RecentValues<K, V extends object | string | number | boolean> {
  readonly #most: number;
  readonly #values = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The known value, else the one that `make` gives; nothing is kept when it throws. */
  get(key: K, make: (key: K) => V): V {
    const known = this.#values.get(key);
    if (known !== undefined) this.#values.delete(key);
    const value = known ?? make(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) {
      for (const oldest of this.#values.keys()) {
        this.#values.delete(oldest);
        break;
      }
    }
    return value;
  }
}
