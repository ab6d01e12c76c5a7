/** What one entrant cost: bytes handed to the transport, and whether they had to be written first. */
export interface Cost {
  readonly bytes: number;
  readonly wasBuilt: boolean;
}

export interface AdmissionBounds {
  readonly builds: number;
  readonly bytes: number;
}

const defaultBounds: AdmissionBounds = { builds: 16, bytes: 4 * 1024 * 1024 };

/** What the smallest send takes in time, in terms of bytes: the bounds hold for streams that get a few bytes each too. */
const leastBytes = 4 * 1024;

/**
 * Lets streams to their first message a few at a time, oldest first. After a restart all proxies come back at once, and
 * each first message is a whole set; between two ticks the process answers everybody else (design §7).
 */
export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #waiting = new Set<() => Cost>();
  #tick: NodeJS.Immediate | undefined;

  constructor(bounds: AdmissionBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Has `admit` called in its turn; the answer takes it out of the queue again. `admit` must not throw. */
  enter(admit: () => Cost): () => void {
    this.#waiting.add(admit);
    this.#tick ??= setImmediate(() => this.#run());
    return () => this.#waiting.delete(admit);
  }

  close(): void {
    clearImmediate(this.#tick);
    this.#waiting.clear();
  }

  #run(): void {
    let { builds, bytes } = this.#bounds;
    for (const admit of this.#waiting) {
      if (builds <= 0 || bytes <= 0) break;
      this.#waiting.delete(admit);
      const cost = admit();
      if (cost.wasBuilt) builds -= 1;
      bytes -= Math.max(cost.bytes, leastBytes);
    }
    this.#tick = this.#waiting.size > 0 ? setImmediate(() => this.#run()) : undefined;
  }
}
