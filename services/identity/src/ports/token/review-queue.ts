import { GatehouseError } from '@gatehouse/core/error';
import type { RateLimit } from '@gatehouse/core/token-bucket';
import { FairPlaces } from '@gatehouse/platform/limits/fair-places';
import { RequestRate } from '../../core/token/request-rate.ts';

/** An API server has flow control of its own; a cold restart of the cluster must not use up our share of it. */
const maxAsking = 50;

/** What a review takes beside its token. */
const overheadKiB = 1;

/** Lets one review ask the API server. */
export interface Permit {
  /**
   * The API server has asked for a pause: resolves when this review may ask again, before all that wait
   * for their first permit. Throws `unavailable` if that would be too late.
   */
  again(afterMs: number): Promise<void>;
  /** Must be called, whatever came of the review. */
  end(): void;
}

export interface Patience {
  /** When the review is of no use any more, by the clock of the queue. */
  readonly until: number;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** A caller that wants a permit, and what it holds while it waits. */
export interface Comer extends Patience {
  /** The address of the client, or its network. */
  readonly from: string;
  readonly bytes: number;
}

interface WaitingLine {
  /** False when there is no room. */
  enter(waiting: Waiting): boolean;
  leave(waiting: Waiting): void;
}

interface Waiting {
  readonly until: number;
  readonly go: () => void;
  readonly fail: (why: GatehouseError) => void;
}

/**
 * Gives permits to ask the API server: no more than a rate, no more than 50 at once, none while it has asked for a pause.
 * Addresses take turns, each of them oldest first. The queue is bounded by the memory of the tokens in it, fairly between
 * addresses, and by how long they may wait.
 */
export class ReviewQueue {
  readonly #rate: RequestRate;
  readonly #now: () => number;
  /** Asked once already and told to come again: they go first. */
  readonly #again = new Set<Waiting>();
  readonly #queue: FairPlaces<Waiting>;
  #asking = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `now` in milliseconds, of a clock that only goes forward; `maxBytes` of tokens may wait. */
  constructor({
    limit,
    maxBytes,
    now,
  }: {
    readonly limit: RateLimit;
    readonly maxBytes: number;
    readonly now: () => number;
  }) {
    this.#rate = new RequestRate(limit);
    this.#now = now;
    this.#queue = new FairPlaces({
      max: Math.floor(maxBytes / 1_024),
      beyondShare: 'refuse',
      evict: (waiting) => waiting.fail(tooMany()),
    });
  }

  /** How many reviews wait for the API server to be asked. */
  get waiting(): number {
    return this.#queue.size + this.#again.size;
  }

  /** Throws `unavailable` when too many wait, or when no permit came in time; the signal's reason after an abort. */
  async take(comer: Comer): Promise<Permit> {
    const weight = Math.ceil(comer.bytes / 1_024) + overheadKiB;
    await this.#wait(comer, {
      enter: (waiting) => this.#queue.take(waiting, comer.from, weight),
      leave: (waiting) => this.#queue.leave(waiting),
    });
    return {
      again: async (afterMs) => {
        this.#rate.pause(afterMs, this.#now());
        await this.#wait(comer, {
          enter: (waiting) => {
            this.#again.add(waiting);
            return true;
          },
          leave: (waiting) => this.#again.delete(waiting),
        });
      },
      end: () => {
        this.#asking -= 1;
        this.#serve();
      },
    };
  }

  #wait({ until, signal }: Patience, line: WaitingLine): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      line.leave(waiting);
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      leave();
      reject(signal.reason);
      this.#serve();
    };
    const waiting: Waiting = {
      until,
      go: () => {
        leave();
        resolve();
      },
      fail: (why) => {
        leave();
        reject(why);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (!line.enter(waiting)) waiting.fail(tooMany());
    this.#serve();
    return promise;
  }

  /** Gives the permits that are due, fails what is too late, and sets the timer for what is due next. */
  #serve(): void {
    clearTimeout(this.#timer);
    const now = this.#now();
    this.#dismiss(now);
    for (let next = this.#next; next !== undefined; next = this.#next) {
      const waitMs = this.#rate.take(now);
      if (waitMs > 0) {
        this.#comeBack(Math.min(waitMs, this.#patience - now));
        return;
      }
      if (this.#queue.first === next) {
        this.#asking += 1;
        this.#queue.next();
      }
      next.go();
    }
    this.#comeBack(this.#patience - now);
  }

  get #next(): Waiting | undefined {
    const [again] = this.#again;
    return again ?? (this.#asking < maxAsking ? this.#queue.first : undefined);
  }

  /** When the first of those that wait loses its patience; of the queue that is the oldest, since all have the same. */
  get #patience(): number {
    const [first] = this.#queue;
    return Math.min(...[...this.#again, ...(first === undefined ? [] : [first])].map(({ until }) => until));
  }

  #dismiss(now: number): void {
    const { pausedUntil } = this.#rate;
    for (const line of [this.#again, this.#queue]) {
      for (const { until, fail } of line) {
        if (until <= now) fail(new GatehouseError('unavailable', 'no token was reviewed in time: try again'));
        else if (until < pausedUntil) fail(leftAlone(pausedUntil - now));
        // What came later may wait for longer.
        else if (line === this.#queue) break;
      }
    }
  }

  #comeBack(afterMs: number): void {
    if (!Number.isFinite(afterMs)) return;
    this.#timer = setTimeout(() => this.#serve(), Math.max(1, Math.ceil(afterMs)));
  }
}

const tooMany = (): GatehouseError =>
  new GatehouseError('unavailable', 'too many tokens wait to be reviewed: try again');

const leftAlone = (forMs: number): GatehouseError =>
  new GatehouseError(
    'unavailable',
    `the API server has asked us to review no tokens for ${Math.ceil(forMs / 1000)} s: try again`,
  );
