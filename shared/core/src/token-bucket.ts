/** How often something may be done. */
export interface RateLimit {
  readonly perSecond: number;
  /** How often at once after a quiet time. */
  readonly burst: number;
}

/** A token bucket. Times are milliseconds of any clock that only goes forward. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #tokens: number;
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  /** Takes a token if there is one, and returns 0; otherwise how many milliseconds to wait before trying again. */
  take(now: number): number {
    const waitMs = this.waitMs(now);
    if (waitMs === 0) this.#tokens -= 1;
    return waitMs;
  }

  /** What `take` would return. */
  waitMs(now: number): number {
    const { perSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * perSecond) / 1_000);
    this.#filledAt = now;
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) * 1_000) / perSecond;
  }

  /** What the token was taken for has cost nothing. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + 1);
  }
}
