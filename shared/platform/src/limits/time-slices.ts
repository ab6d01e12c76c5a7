import process from 'node:process';
import { FairPlaces } from './fair-places.ts';

export interface TimeSlicesOptions<T> {
  /** How long one turn of the event loop may go on with this work, in milliseconds. */
  readonly sliceMs: number;
  /** How much of it may begin as it comes in one turn: what it leaves for later ticks is not known by then. */
  readonly atOnce: number;
  /** Must not throw. */
  readonly work: (item: T) => void;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Spreads a burst over turns of the event loop, so that everything else is answered in between. What comes is worked on at
 * once while its turn has time, and nothing waits; beyond that holders take turns (`holderOf`), each of them oldest first.
 * Where many sockets are readable Node reads all of them in one turn: without this a few thousand calls are one long turn.
 */
export class TimeSlices<T> {
  readonly #options: TimeSlicesOptions<T>;
  readonly #now: () => number;
  /** As many as come: the caller of `enter` bounds them. */
  readonly #waiting = new FairPlaces<T>({
    max: Number.POSITIVE_INFINITY,
    beyondShare: 'refuse',
    evict: () => {},
  });
  #begun = 0;
  /** When this turn began with this work; undefined if it has not. */
  #startedAt: number | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(options: TimeSlicesOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** True when the item was worked on at once; false when it waits for a later turn. */
  enter(item: T, holder: string): boolean {
    const isNext = this.#waiting.size === 0 && this.#begun < this.#options.atOnce && this.#hasTime();
    this.#start();
    if (isNext) {
      this.#begun += 1;
      this.#options.work(item);
    } else this.#waiting.take(item, holder);
    return isNext;
  }

  /** The item is not wanted any more. */
  leave(item: T): void {
    this.#waiting.leave(item);
  }

  /** What waits is never worked on. */
  close(): void {
    clearImmediate(this.#turn);
    for (const item of [...this.#waiting]) this.#waiting.leave(item);
  }

  #hasTime(): boolean {
    return this.#startedAt === undefined || this.#now() - this.#startedAt < this.#options.sliceMs;
  }

  #start(): void {
    this.#startedAt ??= this.#now();
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#startedAt = undefined;
      this.#begun = 0;
      if (this.#waiting.size === 0) return;
      this.#start();
      this.#next();
    });
  }

  #next(): void {
    const item = this.#waiting.next();
    if (item === undefined) return;
    this.#options.work(item);
    if (this.#waiting.size === 0) return;
    // What the work leaves to promises and to process.nextTick (reading a request, calling its handler) comes before the next
    // item, so that the slice is as long as all of it takes.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (this.#hasTime()) this.#next();
      }),
    );
  }
}
