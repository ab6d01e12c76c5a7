/**
 * A pool of values that are equal, so that a label written on 5,000 pods, or the ports that 5,000 pods have alike, are
 * held once. Two generations bound it: when the young one is full it becomes the old one, and what nobody asked for in
 * between is forgotten.
 */
export class InternPool<T> {
  readonly #capacity: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** `capacity` counts values per generation; at most twice as many are held. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The value that was given first for the key; values of one key must be equal. */
  share(key: string, value: T): T {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const kept = this.#old.get(key) ?? value;
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, kept);
    return kept;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

const texts = new InternPool<string>(50_000);

/** For strings that repeat across objects: labels, annotations, namespaces, ServiceAccounts. */
export const intern = (text: string): string => texts.share(text, text);

const values = new InternPool<object>(10_000);

/** For small values that many objects have alike: the ports, probes, owner and annotations of a Deployment's pods. */
export const internValue = <T extends object>(value: T): T => values.share(JSON.stringify(value), value) as T;
