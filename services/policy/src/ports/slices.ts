import type { Clock } from '@gatehouse/platform/process/clock';

export interface SlicesOptions {
  readonly clock: Clock;
  /** Does one piece of the work after the other until `isOver`, one at least. */
  readonly work: (isOver: () => boolean) => void;
  /** Whether any work is left. */
  readonly isBehind: () => boolean;
}

/** How long one piece of work may follow the other before everything else that the process does has its turn (design §15.5). */
const sliceMs = 5;

/**
 * Does work in slices between which the event loop goes round: connections are accepted, streams are written to and other
 * batches are taken in however much work there is.
 */
export class Slices {
  readonly #options: SlicesOptions;
  readonly #failed = Promise.withResolvers<never>();
  #next: (() => void) | undefined;
  #isWorking = false;

  constructor(options: SlicesOptions) {
    this.#options = options;
  }

  /** Rejects with what `work` threw, no matter who called it; await it where the work is owned. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Begins at once, unless this turn of the event loop has had its slice. */
  wake(): void {
    if (this.#next === undefined && !this.#isWorking) this.#slice();
  }

  #slice(): void {
    const { clock, work, isBehind } = this.#options;
    const until = clock.now() + sliceMs;
    this.#isWorking = true;
    try {
      work(() => clock.now() >= until);
    } catch (error) {
      this.#failed.reject(error);
      return;
    } finally {
      this.#isWorking = false;
    }
    // Also when nothing is left: what comes in the same turn waits for the next.
    this.#next = clock.soon(() => {
      this.#next = undefined;
      if (isBehind()) this.#slice();
    });
  }
}
