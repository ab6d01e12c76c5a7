/**
 * A pool of equal strings, so that a label written on 5,000 pods is held once. Two generations bound it: when the young
 * one is full it becomes the old one, and what nobody asked for in between is forgotten.
 */
export class InternPool {
  readonly #capacity: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** `capacity` counts strings per generation; at most twice as many are held. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  intern(text: string): string {
    const known = this.#young.get(text);
    if (known !== undefined) return known;
    const kept = this.#old.get(text) ?? text;
    if (this.#young.size >= this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(kept, kept);
    return kept;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

const pool = new InternPool(50_000);

/** For strings that repeat across objects: labels, annotations, namespaces, ServiceAccounts. */
export const intern = (text: string): string => pool.intern(text);
