/** A value that others replace whole: readers take the newest when they need it, and may be told of each change. */
export class Latest<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Calls `listener` on every change from now on; the answer ends that. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The first value, present or to come, of which `wanted` holds; rejects when `signal` aborts before. */
  when<W extends T>(wanted: (value: T) => value is W, signal: AbortSignal): Promise<W> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        signal.removeEventListener('abort', onAbort);
        unsubscribe();
      };
      const onAbort = (): void => {
        finish();
        reject(signal.reason);
      };
      const onValue = (value: T): void => {
        if (!wanted(value)) return;
        finish();
        resolve(value);
      };
      const unsubscribe = this.subscribe(onValue);
      if (signal.aborted) onAbort();
      else {
        signal.addEventListener('abort', onAbort);
        onValue(this.#value);
      }
    });
  }
}

/** For `when`: any value will do. */
export const isSet = <T>(value: T | undefined): value is T => value !== undefined;
