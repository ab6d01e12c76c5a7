import { GatehouseError } from '@gatehouse/core/error';

interface Running<T> {
  readonly result: Promise<T>;
  readonly abandon: AbortController;
  waiting: number;
}

/**
 * Work that several callers wait for at once under one key, done once. Nothing is remembered: who comes after the end
 * starts again. A caller that goes away is told so at once; the work is abandoned when the last of them has left.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** How many pieces of work are under way. */
  get size(): number {
    return this.#running.size;
  }

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Rejects with `cancelled` once `signal` aborts. `begin` is called only if nothing is under way by that key. */
  async join(key: string, signal: AbortSignal, begin: (abandoned: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) throw wentAway();
    const work = this.#running.get(key) ?? this.#begin(key, begin);
    const { promise: left, reject: leave } = Promise.withResolvers<never>();
    const onAbort = (): void => leave(wentAway());
    signal.addEventListener('abort', onAbort, { once: true });
    work.waiting += 1;
    try {
      return await Promise.race([work.result, left]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      work.waiting -= 1;
      if (work.waiting === 0 && this.#running.get(key) === work) {
        this.#running.delete(key);
        work.abandon.abort(wentAway());
      }
    }
  }

  #begin(key: string, begin: (abandoned: AbortSignal) => Promise<T>): Running<T> {
    const abandon = new AbortController();
    const work: Running<T> = { result: begin(abandon.signal), abandon, waiting: 0 };
    this.#running.set(key, work);
    const forget = (): void => {
      if (this.#running.get(key) === work) this.#running.delete(key);
    };
    // Its failure is for those who wait; when all have left, for nobody.
    work.result.then(forget, forget);
    return work;
  }
}

const wentAway = (): GatehouseError =>
  new GatehouseError('cancelled', 'the caller went away while it waited');
