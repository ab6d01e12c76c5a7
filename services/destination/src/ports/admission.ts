import { FairPlaces } from '@gatehouse/platform/limits/fair-places';

/** What one first message cost: bytes handed to the transport, and whether they had to be written first. */
export interface Cost {
  readonly bytes: number;
  readonly wasBuilt: boolean;
}

export interface AdmissionBounds {
  /** How long one tick may go on, in milliseconds: the first of many different sets costs more than the second of one. */
  readonly tickMs: number;
  /** First messages that are written in one tick. */
  readonly builds: number;
  /** Bytes that are handed over in one tick. */
  readonly bytes: number;
  /** Bytes of first messages that may be on their way at once: each stream holds its own copy until it has left. */
  readonly bytesUnderWay: number;
  /** How long a client that does not read holds the others up. */
  readonly patienceMs: number;
}

const mebibyte = 1024 * 1024;
const defaultBounds: AdmissionBounds = {
  tickMs: 5,
  builds: 16,
  bytes: 4 * mebibyte,
  bytesUnderWay: 64 * mebibyte,
  patienceMs: 1_000,
};

/** What the smallest send takes in time, in terms of bytes: the bounds hold for streams that get a few bytes each too. */
const leastBytes = 4 * 1024;

/** The place of a stream in the queue of first messages, kept until its message has left. */
export interface QueuePlace {
  /** What was handed over has left the process. */
  left(): void;
  /** The stream is over. */
  leave(): void;
}

interface Entrant {
  readonly admit: () => Cost;
}

interface UnderWay {
  readonly bytes: number;
  readonly since: number;
}

/**
 * Lets streams have their first message a few at a time: clients take turns, each of them oldest first. After a restart
 * all proxies come back at once, and each first message is a whole set. Between two ticks the process answers everything
 * else, and what it holds in memory stays bounded however many came (design §7).
 */
export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #now: () => number;
  /** As many as there are streams, which the server bounds. */
  readonly #waiting = new FairPlaces<Entrant>({
    max: Number.POSITIVE_INFINITY,
    beyondShare: 'refuse',
    evict: () => {},
  });
  readonly #underWay = new Map<Entrant, UnderWay>();
  #bytesUnderWay = 0;
  #tick: NodeJS.Immediate | undefined;
  #patience: NodeJS.Timeout | undefined;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(bounds: Partial<AdmissionBounds> = {}, now: () => number = () => performance.now()) {
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#now = now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `admit`, which must not throw, when the stream is next. `from` is the address of the client, or its network. */
  enter(from: string, admit: () => Cost): QueuePlace {
    const entrant: Entrant = { admit };
    this.#waiting.take(entrant, from);
    this.#wake();
    const left = (): void => {
      this.#arrived(entrant);
      if (this.#waiting.size > 0) this.#wake();
    };
    return {
      left,
      leave: () => {
        this.#waiting.leave(entrant);
        left();
      },
    };
  }

  close(): void {
    for (const entrant of [...this.#waiting]) this.#waiting.leave(entrant);
    clearImmediate(this.#tick);
    clearTimeout(this.#patience);
  }

  #wake(): void {
    this.#tick ??= setImmediate(() => this.#run());
  }

  #run(): void {
    this.#tick = undefined;
    this.#overtakeSlow();
    const end = this.#now() + this.#bounds.tickMs;
    let { builds, bytes } = this.#bounds;
    while (this.#bytesUnderWay < this.#bounds.bytesUnderWay && builds > 0 && bytes > 0) {
      const entrant = this.#waiting.next();
      if (entrant === undefined) break;
      const cost = this.#admit(entrant);
      if (cost.wasBuilt) builds -= 1;
      bytes -= Math.max(cost.bytes, leastBytes);
      if (this.#now() >= end) break;
    }
    if (this.#waiting.size === 0) return;
    if (this.#bytesUnderWay >= this.#bounds.bytesUnderWay) this.#waitForSlow();
    else this.#wake();
  }

  #admit(entrant: Entrant): Cost {
    // Under way before it is handed over: it may have left when `admit` returns.
    const since = this.#now();
    this.#underWay.set(entrant, { bytes: 0, since });
    const cost = entrant.admit();
    if (this.#underWay.has(entrant)) {
      this.#underWay.set(entrant, { bytes: cost.bytes, since });
      this.#bytesUnderWay += cost.bytes;
    }
    return cost;
  }

  #arrived(entrant: Entrant): void {
    this.#bytesUnderWay -= this.#underWay.get(entrant)?.bytes ?? 0;
    this.#underWay.delete(entrant);
  }

  #waitForSlow(): void {
    const [oldest] = this.#underWay.values();
    const wait = (oldest?.since ?? 0) + this.#bounds.patienceMs - this.#now();
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#wake(), Math.max(wait, 1));
  }

  #overtakeSlow(): void {
    for (const [entrant, { since }] of this.#underWay) {
      if (this.#now() - since < this.#bounds.patienceMs) break;
      this.#arrived(entrant);
    }
  }
}
