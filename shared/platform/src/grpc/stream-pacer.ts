import type { StreamCall } from './transport.ts';

/** Where a paced stream takes its messages from: it asks when the client can take one, so nothing queues. */
export interface MessageSource {
  /** What the client lacks now; undefined when it has everything. */
  next(): Uint8Array | undefined;
  /** What to say on a stream that may have been silent for long; undefined = nothing. Not counted as news. */
  refresh(): Uint8Array | undefined;
  /** Everything handed over so far has left the process. */
  left?(): void;
}

export interface PacedStream {
  /** There may be something new: it goes now, or as soon as the client has read what is on its way. */
  wake(): void;
}

export interface PacerOptions {
  /** Linkerd's proxies open a stream again that was silent for five minutes (contract/proxy.md §2.5), so this is four. */
  readonly refreshEveryMs?: number;
  /** A reader that has not taken a message after this time is cut off; it will come back. */
  readonly drainWithinMs?: number;
  readonly tickMs?: number;
}

/**
 * The pace of all streams of a service: one message at a time on each, a refresh for the quiet ones, an end for those that
 * nobody reads. One timer turns one wheel for all of them, and runs only while there are streams.
 */
export class StreamPacer {
  readonly #tickMs: number;
  readonly #drainTicks: number;
  /** Each stream is refreshed once a turn, in the slot that had the fewest when it came, so that refreshes spread evenly. */
  readonly #slots: readonly Set<Paced>[];
  readonly #busy = new Set<Paced>();
  readonly #traffic: Traffic = {
    busy: (paced) => {
      paced.busySince = this.#tick;
      this.#busy.add(paced);
    },
    idle: (paced) => void this.#busy.delete(paced),
  };
  #tick = 0;
  #streams = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ refreshEveryMs = 240_000, drainWithinMs = 30_000, tickMs = 1_000 }: PacerOptions = {}) {
    this.#tickMs = tickMs;
    this.#drainTicks = Math.ceil(drainWithinMs / tickMs);
    this.#slots = Array.from({ length: Math.ceil(refreshEveryMs / tickMs) }, () => new Set<Paced>());
  }

  /** Streams that are open, and those of them whose client has not taken its last message yet. */
  get load(): { readonly streams: number; readonly busy: number } {
    return { streams: this.#streams, busy: this.#busy.size };
  }

  /** Takes over the sending on `call` until its signal aborts. Nothing is sent before the first `wake`. */
  attach(call: StreamCall, source: MessageSource): PacedStream {
    const paced = new Paced(call, source, this.#traffic);
    if (call.signal.aborted) return paced;
    const slot = this.#slots.reduce((least, other) => (other.size < least.size ? other : least));
    slot.add(paced);
    this.#streams += 1;
    this.#timer ??= setInterval(() => this.#turn(), this.#tickMs);
    call.signal.addEventListener(
      'abort',
      () => {
        slot.delete(paced);
        this.#busy.delete(paced);
        this.#streams -= 1;
        if (this.#streams === 0) this.#stopTimer();
      },
      { once: true },
    );
    return paced;
  }

  #turn(): void {
    this.#tick += 1;
    for (const paced of this.#busy) {
      if (this.#tick - paced.busySince > this.#drainTicks) paced.cutOff(this.#drainTicks * this.#tickMs);
    }
    for (const paced of this.#slots[this.#tick % this.#slots.length] ?? []) paced.refresh();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

interface Traffic {
  readonly busy: (paced: Paced) => void;
  readonly idle: (paced: Paced) => void;
}

class Paced implements PacedStream {
  readonly #call: StreamCall;
  readonly #source: MessageSource;
  readonly #traffic: Traffic;
  #busy = false;
  /** The pacer's tick at which the message was handed over that has not left yet. */
  busySince = 0;

  constructor(call: StreamCall, source: MessageSource, traffic: Traffic) {
    this.#call = call;
    this.#source = source;
    this.#traffic = traffic;
    call.onWritable(() => {
      this.#busy = false;
      this.#traffic.idle(this);
      this.#source.left?.();
      this.wake();
    });
  }

  wake(): void {
    while (!this.#busy && !this.#call.signal.aborted) {
      const message = this.#source.next();
      if (message === undefined) return;
      this.#send(message);
    }
  }

  refresh(): void {
    const message = this.#busy ? undefined : this.#source.refresh();
    if (message !== undefined) this.#send(message);
  }

  cutOff(afterMs: number): void {
    this.#call.end({
      code: 'resource-exhausted',
      message: `the client has not read its stream for ${Math.round(afterMs / 1_000)} s`,
    });
  }

  #send(message: Uint8Array): void {
    if (this.#call.send(message)) return;
    this.#busy = true;
    this.#traffic.busy(this);
  }
}
