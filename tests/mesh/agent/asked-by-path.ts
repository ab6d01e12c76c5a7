export interface Asked {
  readonly status: 200 | 503;
  /** How long the answer takes. */
  readonly afterMs: number;
}

/** What paths ask of an application: `…/fails-once/KEY` is answered 503 the first time of each key, `…/late/MS` only then. */
export class AskedByPath {
  readonly #failed = new Set<string>();

  of(path: string): Asked {
    const [, what, value = ''] = /\/(fails-once|late)\/(\w+)$/.exec(path) ?? [];
    if (what === 'late') return { status: 200, afterMs: Number(value) };
    if (what !== 'fails-once' || this.#failed.has(value)) return { status: 200, afterMs: 0 };
    this.#failed.add(value);
    return { status: 503, afterMs: 0 };
  }
}
