/** Who was made of which fact: a batch of changes asks it for those that it may concern, and looks at nobody else. */
export class Readers<Reader> {
  readonly #byFact = new Map<string, Set<Reader>>();

  of(fact: string): Iterable<Reader> {
    return this.#byFact.get(fact) ?? [];
  }

  /** A reader that was made of the facts `from` is made of `to` now; an empty set = nothing. */
  move(reader: Reader, from: ReadonlySet<string>, to: ReadonlySet<string>): void {
    for (const fact of from) {
      if (to.has(fact)) continue;
      const known = this.#byFact.get(fact);
      known?.delete(reader);
      if (known?.size === 0) this.#byFact.delete(fact);
    }
    for (const fact of to) {
      const known = this.#byFact.get(fact);
      if (known === undefined) this.#byFact.set(fact, new Set([reader]));
      else known.add(reader);
    }
  }
}
