import { type RateLimit, TokenBucket } from '@gatehouse/core/token-bucket';

/** However long a server asks to be left alone: what stands before it may write anything, and the mesh needs certificates. */
const longestPauseMs = 30_000;

/** How often the server may be asked, and the pauses that it asks for. Milliseconds of any clock that only goes forward. */
export class RequestRate {
  readonly #bucket: TokenBucket;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.#bucket = new TokenBucket(limit);
  }

  /** Until when nothing may be asked at all. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Counts one request if it may be sent now, and returns 0; otherwise how many milliseconds to wait before trying again. */
  take(now: number): number {
    return now < this.#pausedUntil ? this.#pausedUntil - now : this.#bucket.take(now);
  }

  /** The server wants to be left alone for so long, from now. A longer wish stands. */
  pause(forMs: number, now: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(forMs, longestPauseMs));
  }
}
