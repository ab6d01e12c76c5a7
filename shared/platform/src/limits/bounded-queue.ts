import { GatehouseError } from '@gatehouse/core/error';
import { within } from '../process/within.ts';
import { FairPlaces } from './fair-places.ts';

export interface BoundedQueueOptions {
  /** So many work at once. */
  readonly max: number;
  /** So many wait; for one more, who has most of them gives one up, else it is refused: both with `unavailable`. */
  readonly maxWaiting: number;
  /** From the call to the end of the work; then it is `unavailable`, no matter who is to blame. Milliseconds. */
  readonly patienceMs: number;
  /** Who is waited for, in the errors: `the API server`. */
  readonly who: string;
}

interface Waiting {
  readonly go: () => void;
  readonly refuse: (why: unknown) => void;
}

/** Keeps what many want of one server within what is good for both; they take turns, each of them oldest first. */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions;
  readonly #waiting: FairPlaces<Waiting>;
  #working = 0;

  constructor(options: BoundedQueueOptions) {
    this.#options = options;
    this.#waiting = new FairPlaces({
      max: options.maxWaiting,
      beyondShare: 'refuse',
      evict: ({ refuse }) => refuse(this.#tooMany()),
    });
  }

  /** `from` is who takes turns: the address of the client that this is for. */
  take<T>(from: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { patienceMs, who } = this.#options;
    const late = (): GatehouseError =>
      new GatehouseError('unavailable', `${who} did not answer within ${patienceMs / 1000} s`);
    return within({ ms: patienceMs, late }, async (signal) => {
      await this.#turn(from, signal);
      try {
        return await work(signal);
      } finally {
        this.#passOn();
      }
    });
  }

  #turn(from: string, signal: AbortSignal): Promise<void> | undefined {
    if (this.#working < this.#options.max) {
      this.#working += 1;
      return;
    }
    const { promise, resolve: go, reject: refuse } = Promise.withResolvers<void>();
    const waiting: Waiting = { go, refuse };
    if (!this.#waiting.take(waiting, from)) throw this.#tooMany();
    signal.addEventListener('abort', () => {
      if (this.#waiting.leave(waiting)) refuse(signal.reason);
    });
    return promise;
  }

  /** A place goes to anyone who's turn it is; only one that nobody waits for is given back. */
  #passOn(): void {
    const next = this.#waiting.next();
    if (next === undefined) this.#working -= 1;
    else next.go();
  }

  #tooMany(): GatehouseError {
    const { maxWaiting, who } = this.#options;
    return new GatehouseError('unavailable', `${maxWaiting} questions wait for ${who}: try again`);
  }
}
