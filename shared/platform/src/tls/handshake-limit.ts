export interface LimitOptions {
  readonly start: number;
  readonly least: number;
  readonly most: number;
  /** How much of the event loop's time a handshake may take on average, from its first byte to its last, in milliseconds. */
  readonly targetMs: number;
}

/**
 * How many TLS handshakes may run at once on this machine, as it is now. All that run share the CPU, so each takes as long
 * as all of them together: a number that is right for a whole core makes every client miss its deadline on a tenth of one
 * (a CPU limit, a busy node). So the number follows what handshakes take.
 */
export class HandshakeLimit {
  readonly #options: LimitOptions;
  #atOnce: number;
  #count = 0;
  #sumMs = 0;

  constructor(options: LimitOptions) {
    this.#options = options;
    this.#atOnce = options.start;
  }

  get atOnce(): number {
    return this.#atOnce;
  }

  /** A handshake took so long while the event loop was at work. What clients take says nothing, and must not come here. */
  done(busyMs: number): void {
    this.#count += 1;
    this.#sumMs += busyMs;
    if (this.#count < this.#atOnce) return;
    const { least, most, targetMs } = this.#options;
    const meanMs = this.#sumMs / this.#count;
    this.#count = 0;
    this.#sumMs = 0;
    // Never less than half at a time: one bad moment must not close the door.
    if (meanMs > targetMs) {
      this.#atOnce = Math.max(least, Math.floor(this.#atOnce * Math.max(0.5, targetMs / meanMs)));
    } else if (meanMs < targetMs / 2) {
      this.#atOnce = Math.min(most, Math.ceil(this.#atOnce * 1.25));
    }
  }
}
