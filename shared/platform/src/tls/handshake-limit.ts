export interface LimitOptions {
  readonly start: number;
  readonly least: number;
  readonly most: number;
  /** How long a handshake may take on average, from its first byte to its last, in milliseconds. */
  readonly targetMs: number;
  /** The share of time, from 0 to 1, that the event loop was at work since the last call of this. */
  readonly utilization: () => number;
}

/** Below this the event loop waits more than it works, so slow handshakes are the network's doing or the clients'. */
const busyFrom = 0.9;

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

  /** A handshake came to its end after so long. Those that fail say nothing: their clients may never have answered. */
  done(durationMs: number): void {
    this.#count += 1;
    this.#sumMs += durationMs;
    if (this.#count < this.#atOnce) return;
    const { least, most, targetMs, utilization } = this.#options;
    const meanMs = this.#sumMs / this.#count;
    const isBusy = utilization() >= busyFrom;
    this.#count = 0;
    this.#sumMs = 0;
    // Never less than half at a time: one bad moment must not close the door.
    if (meanMs > targetMs && isBusy) {
      this.#atOnce = Math.max(least, Math.floor(this.#atOnce * Math.max(0.5, targetMs / meanMs)));
    } else if (meanMs < targetMs / 2 || !isBusy) {
      this.#atOnce = Math.min(most, Math.ceil(this.#atOnce * 1.25));
    }
  }
}
