import { GatehouseError } from '@gatehouse/core/error';
import type { RateLimit } from '@gatehouse/core/token-bucket';
import { FairPlaces } from '@gatehouse/platform/limits/fair-places';
import { RequestRate } from '../../core/token/request-rate.ts';

/** An API server has flow control of its own; a cold restart of the cluster must not use up our share of it. */
const maxAsking = 50;

/** What a review takes beside its token. */
const overheadKiB = 1;

/** One review's right to ask the API server. */
export interface Turn {
  /**
   * The API server wants to be left alone for so long: resolves when this review may ask again, before all that wait
   * for their first turn. Throws `unavailable` if that would be too late.
   */
  again(afterMs: number): Promise<void>;
  /** Must be called, whatever came of the review. */
  end(): void;
}

export interface Patience {
  /** When the review is of no use any more, by the clock of the turns. */
  readonly until: number;
  /** Aborts when nobody wants it any more. */
  readonly signal: AbortSignal;
}

/** Who comes, and what it holds while it waits. */
export interface Comer extends Patience {
  /** Who takes the turns: the client's address, or its network. */
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
 * Who may ask the API server next: not more than a rate, not more than 50 at once, nobody while it wants to be left
 * alone. Addresses take turns, each of them oldest first. Those that wait are bounded by the memory of their tokens, fairly
 * between addresses, and by their patience.
 */
export class ReviewQueue {
  readonly #rate: RequestRate;
  readonly #now: () => number;
  /** Asked once already and told to come again: they keep their turn. */
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

  /** Throws `unavailable` when too many wait, or when no turn came in time; the signal's reason after an abort. */
  async take(comer: Comer): Promise<Turn> {
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

  /** Lets those go that may, tells those that it is too late for, and comes back when the next thing is due. */
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
        // Who came later has patience for longer.
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
