import { type Clock, systemClock } from '@gatehouse/platform/process/clock';

/** How long one question may work before everything else that the process does has its turn (design §15.5). */
const sliceMs = 5;

/** Divides long work for one question into slices: await `next` between two pieces of it. */
export class Turns {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  #until: number;

  constructor(signal?: AbortSignal, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#signal = signal;
    this.#until = clock.now() + sliceMs;
  }

  /** Returns at once while the slice lasts, else when the event loop has gone round. Throws once the caller has left. */
  async next(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (this.#clock.now() < this.#until) return;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#until = this.#clock.now() + sliceMs;
    this.#signal?.throwIfAborted();
  }
}
