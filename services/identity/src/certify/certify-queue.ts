import { GatehouseError } from '@gatehouse/core/error';
import type { Turns } from './certify.ts';

/** How long a call may wait: the proxy sets no deadline and retries 10 s after any error, in step with all others (design §4). */
const patienceMs = 8_000;

/** 16 KiB of token and 8 of request each: at most 100 MB of callers. */
const maxWaiting = 4_096;

/** How long signatures may occupy the event loop before connections and handshakes get to it. */
const sliceMs = 5;

interface Waiting {
  /** Does the work and settles the call; true if there was any to do. */
  readonly run: () => void;
  readonly expire: () => void;
  readonly since: number;
}

/**
 * Gives each call its turn on the one thread that signs, oldest first. A burst of thousands is spread over many turns of
 * the event loop, so that TLS handshakes (which the proxy gives a second) go on beside it. Nobody who has gone away is
 * worked for.
 */
export class CertifyTurns implements Turns {
  readonly #now: () => number;
  readonly #queue = new Set<Waiting>();
  #sliceEnds = 0;
  #scheduled = false;

  constructor({ now }: { readonly now: () => number }) {
    this.#now = now;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  take<T>(work: () => T, signal: AbortSignal): Promise<T> {
    const now = this.#now();
    if (this.#queue.size === 0 && this.#hasTime(now)) return new Promise((resolve) => resolve(work()));
    if (this.#queue.size >= maxWaiting) {
      return Promise.reject(
        new GatehouseError('unavailable', `${maxWaiting} calls are waiting already: try again later`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', cancel);
      this.#queue.delete(call);
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
      expire: () =>
        settle(() =>
          reject(new GatehouseError('unavailable', `no turn came within ${patienceMs / 1000} s: try again`)),
        ),
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    else this.#queue.add(call);
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
    this.#sliceEnds = this.#now() + sliceMs;
    for (const call of this.#queue) {
      const now = this.#now();
      if (now - call.since > patienceMs) call.expire();
      else if (now < this.#sliceEnds) call.run();
      else break;
    }
    this.#schedule();
  }
}
