/** How often something may be asked. */
export interface RateLimit {
  readonly perSecond: number;
  /** How many may be asked at once after a quiet time. */
  readonly burst: number;
}

/** However long a server asks to be left alone: what stands before it may write anything, and the mesh needs certificates. */
const longestPauseMs = 30_000;

/** A token bucket, and the pauses that the server asks for. Times are milliseconds of any clock that only goes forward. */
export class RequestRate {
  readonly #limit: RateLimit;
  #credit: number;
  #countedAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#credit = limit.burst;
  }

  /** Until when nothing may be asked at all. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Counts one request if it may be sent now, and answers 0; otherwise how many milliseconds to wait before trying again. */
  take(now: number): number {
    if (now < this.#pausedUntil) return this.#pausedUntil - now;
    const { perSecond, burst } = this.#limit;
    const earned = ((now - this.#countedAt) * perSecond) / 1_000;
    this.#credit = Math.min(burst, this.#credit + earned);
    this.#countedAt = now;
    if (this.#credit >= 1) {
      this.#credit -= 1;
      return 0;
    }
    return ((1 - this.#credit) * 1_000) / perSecond;
  }

  /** The server wants to be left alone for so long, from now. A longer wish stands. */
  pause(forMs: number, now: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(forMs, longestPauseMs));
  }
}
