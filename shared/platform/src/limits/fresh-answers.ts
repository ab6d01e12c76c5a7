export interface FreshAnswersOptions {
  /** How long an answer is good, counted from when it was asked for. */
  readonly freshMs: number;
  /** The oldest make room for new ones. */
  readonly max: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

interface Entry<T> {
  readonly askedAt: number;
  readonly answer: Promise<T>;
}

/**
 * Answers that are good for a moment. Anyone who asks while an answer is awaited shares it; a failure is not remembered, and
 * an `ask` that throws at once leaves everything as it was.
 */
export class FreshAnswers<T> {
  readonly #options: FreshAnswersOptions;
  /** In the order in which they were asked for. */
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: FreshAnswersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(question: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(question);
    if (known !== undefined && this.#isFresh(known)) return known.answer;
    const entry = { askedAt: this.#options.now(), answer: ask() };
    this.#entries.delete(question);
    this.#makeRoom();
    this.#entries.set(question, entry);
    entry.answer.catch(() => {
      if (this.#entries.get(question) === entry) this.#entries.delete(question);
    });
    return entry.answer;
  }

  #isFresh({ askedAt }: Entry<T>): boolean {
    const { freshMs, now } = this.#options;
    return now() - askedAt < freshMs;
  }

  #makeRoom(): void {
    for (const [question, entry] of this.#entries) {
      if (this.#isFresh(entry) && this.#entries.size < this.#options.max) return;
      this.#entries.delete(question);
    }
  }
}
