import type { Clock } from '../process/clock.ts';

export interface BurstsOptions {
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Does everything that has come up by then. */
  readonly work: () => void;
}

/**
 * Joins bursts: what comes up after a quiet time is done at once, then at most every so often, always everything together.
 * So a change that closes something never waits behind one that opens something.
 */
export class Bursts {
  readonly #options: BurstsOptions;
  readonly #failed = Promise.withResolvers<never>();
  #doneAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(options: BurstsOptions) {
    this.#options = options;
    // Its owner may have ended for another reason, and then nobody looks.
    this.failed.catch(() => {});
  }

  /** Rejects with what `work` threw, no matter who called it; await it where the work is owned. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Something has come up. */
  due(): void {
    if (this.#cancel !== undefined) return;
    const { everyMs, clock } = this.#options;
    const wait = this.#doneAt + everyMs - clock.now();
    if (wait <= 0) this.#work();
    else this.#cancel = clock.after(wait, () => this.#work());
  }

  /** Does at once what waits, for a caller that cannot go by less than everything that has come up. */
  settle(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#work();
  }

  /** What still waits is never done. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #work(): void {
    this.#cancel = undefined;
    try {
      this.#options.work();
    } catch (error) {
      this.#failed.reject(error);
    }
    // Counted from the end, so that however long it takes, others get the event loop in between.
    this.#doneAt = this.#options.clock.now();
  }
}
