import { GatehouseError } from '@gatehouse/core/error';
import { FairPlaces } from '@gatehouse/platform/limits/fair-places';
import type { Asking, SigningQueue } from './certify.ts';

/** Why a call was sent away while it waited, or before. */
export type QueueRefusal = 'queue-full' | 'made-room' | 'waited-too-long';

export interface CertifyQueueOptions {
  /** What the calls that wait may keep in memory, in bytes. */
  readonly maxBytes: number;
  /** Milliseconds from any beginning. */
  readonly now: () => number;
  readonly onRefused?: (reason: QueueRefusal) => void;
}

/** How long a call may wait: the proxy sets no deadline and retries 10 s after any error, in step with all others (design §4). */
const patienceMs = 8_000;

/** How long signatures may occupy the event loop before connections and handshakes get to it. */
const sliceMs = 5;

/** What a call takes beside its token and signing request: a stream of HTTP/2 and what hangs on it. */
const overheadKiB = 1;

interface Waiting {
  readonly since: number;
  /** Does the work and settles the call. */
  readonly run: () => void;
  readonly refuse: (reason: QueueRefusal) => void;
}

/**
 * Gives each call its turn on the one thread that signs: addresses take turns, each of them oldest first, so that one
 * caller with thousands of calls makes another wait for one of them. A burst is spread over many turns of the event
 * loop, so that TLS handshakes (which the proxy gives a second) go on beside it. Nobody who has gone away is worked for.
 */
export class CertifyQueue implements SigningQueue {
  readonly #options: CertifyQueueOptions;
  readonly #queue: FairPlaces<Waiting>;
  #sliceEnds = 0;
  #scheduled = false;

  constructor(options: CertifyQueueOptions) {
    this.#options = options;
    this.#queue = new FairPlaces({
      max: Math.floor(options.maxBytes / 1_024),
      beyondShare: 'refuse',
      evict: (call) => call.refuse('made-room'),
    });
  }

  get waiting(): number {
    return this.#queue.size;
  }

  take<T>(work: () => T, { from, signal, bytes }: Asking & { readonly bytes: number }): Promise<T> {
    const now = this.#options.now();
    if (this.#queue.size === 0 && this.#hasTime(now)) return new Promise((resolve) => resolve(work()));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', cancel);
      this.#queue.leave(call);
      outcome();
    };
    const cancel = (): void =>
      settle(() => reject(new GatehouseError('cancelled', 'the caller went away while it waited')));
    const call: Waiting = {
      since: now,
      run: () =>
        settle(() => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        }),
      refuse: (reason) => {
        this.#options.onRefused?.(reason);
        settle(() => reject(new GatehouseError('unavailable', sentences[reason])));
      },
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    else if (!this.#queue.take(call, from, Math.ceil(bytes / 1_024) + overheadKiB)) call.refuse('queue-full');
    this.#schedule();
    return promise;
  }

  /** Whether this turn of the event loop still has room; the first call of a turn opens it. */
  #hasTime(now: number): boolean {
    if (this.#scheduled) return now < this.#sliceEnds;
    this.#sliceEnds = now + sliceMs;
    this.#schedule();
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#serve();
    });
  }

  #serve(): void {
    if (this.#queue.size === 0) return;
    const start = this.#options.now();
    this.#sliceEnds = start + sliceMs;
    for (const call of this.#queue) {
      if (start - call.since <= patienceMs) break;
      call.refuse('waited-too-long');
    }
    while (this.#options.now() < this.#sliceEnds) {
      const call = this.#queue.next();
      if (call === undefined) break;
      call.run();
    }
    this.#schedule();
  }
}

const sentences = {
  'queue-full': 'too many calls are waiting already: try again later',
  'made-room': 'too many calls from this address are waiting, and others want their turn: try again later',
  'waited-too-long': `no turn came within ${patienceMs / 1000} s: try again`,
} as const satisfies Record<QueueRefusal, string>;
