import { GatehouseError } from '@gatehouse/core/error';
import { within } from '../process/within.ts';

export interface BoundedQueueOptions {
  /** So many work at once. */
  readonly max: number;
  /** So many wait, longest first; the next is refused with `unavailable`. */
  readonly maxWaiting: number;
  /** From the call to the end of the work; then it is `unavailable`, whoever is to blame. Milliseconds. */
  readonly patienceMs: number;
  /** Who is waited for, in the errors: `the API server`. */
  readonly who: string;
}

/** Keeps what many want of somebody within what is good for both. */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions;
  readonly #waiting = new Set<() => void>();
  #working = 0;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
  }

  take<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { patienceMs, who } = this.#options;
    const late = (): GatehouseError =>
      new GatehouseError('unavailable', `${who} did not answer within ${patienceMs / 1000} s`);
    return within({ ms: patienceMs, late }, async (signal) => {
      await this.#turn(signal);
      try {
        return await work(signal);
      } finally {
        this.#passOn();
      }
    });
  }

  #turn(signal: AbortSignal): Promise<void> | undefined {
    const { max, maxWaiting, who } = this.#options;
    if (this.#working < max) {
      this.#working += 1;
      return;
    }
    if (this.#waiting.size >= maxWaiting) {
      throw new GatehouseError('unavailable', `${maxWaiting} questions wait for ${who}: try again`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener('abort', () => {
      if (this.#waiting.delete(resolve)) reject(signal.reason);
    });
    return promise;
  }

  /** A turn goes to whoever has waited longest; only one that nobody waits for is given back. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#working -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
