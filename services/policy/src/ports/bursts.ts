/** Time as waiting needs it; tests turn it by hand. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** Calls `run` once, later; the function that comes back forgets it. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` once, when the event loop has gone round; the function that comes back forgets it. */
  soon(run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
};

export interface BurstsOptions<T> {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly take: (items: readonly T[]) => void;
}

/**
 * Joins bursts: what comes after a quiet time is taken at once, then at most every so often, always everything that has
 * come since, in order. So a change that closes something never waits behind one that opens something.
 */
export class Bursts<T> {
  readonly #options: BurstsOptions<T>;
  readonly #failed = Promise.withResolvers<never>();
  #waiting: T[] = [];
  #takenAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(options: BurstsOptions<T>) {
    this.#options = options;
  }

  /** Rejects with what `take` threw, whoever called it; await it where the work is owned. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  add(items: readonly T[]): void {
    for (const item of items) this.#waiting.push(item);
    if (this.#cancel !== undefined) return;
    const { everyMs, clock } = this.#options;
    const wait = this.#takenAt + everyMs - clock.now();
    if (wait <= 0) this.#take();
    else this.#cancel = clock.after(wait, () => this.#take());
  }

  /** Takes at once what waits, for whoever cannot go by less than everything that has come. */
  settle(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#take();
  }

  /** What still waits is dropped. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = [];
  }

  #take(): void {
    this.#cancel = undefined;
    const items = this.#waiting;
    this.#waiting = [];
    try {
      this.#options.take(items);
    } catch (error) {
      this.#failed.reject(error);
    }
    // Counted from the end, so that however long it takes, others have their turn in between.
    this.#takenAt = this.#options.clock.now();
  }
}
