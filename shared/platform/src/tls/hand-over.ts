import type { Socket } from 'node:net';

export interface HandOverOptions {
  /** Who else is at the door: nobody, some in their handshake, or more than there are places, so that some wait for theirs. */
  readonly crowd: () => 'none' | 'some' | 'waiting';
  /** A connection is kept back no longer than this, however many others come. */
  readonly patienceMs: number;
  /** How long connections may be opened in one turn of the event loop, after the handshakes of that turn. */
  readonly sliceMs: number;
  /** Milliseconds from any beginning. */
  readonly now: () => number;
  readonly serve: (socket: Socket) => void;
}

/**
 * Keeps back connections whose TLS handshake is over while others are at theirs. A proxy gives TCP and TLS one second,
 * and what it asks afterwards no limit (contract/proxy.md §1.1): so in the second in which a restarted cluster knocks,
 * the CPU goes to handshakes, and HTTP/2 and the calls come after it. Otherwise each wave of clients, ten seconds apart,
 * would bring about half as many inside.
 */
export class HandOver {
  readonly #options: HandOverOptions;
  /** Oldest first, with when it came. */
  readonly #queue = new Map<Socket, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Takes a connection that is ready: served now if nobody else is at the door, else soon. */
  take(socket: Socket): void {
    const { crowd, now, serve } = this.#options;
    if (this.#queue.size === 0 && crowd() === 'none') {
      serve(socket);
      return;
    }
    this.#queue.set(socket, now());
    socket.once('close', () => this.#queue.delete(socket));
    if (crowd() === 'waiting') this.#expect();
    else this.resume();
  }

  /** Nobody waits any more: those that were kept back come next, in slices, since others are at their handshake or may come. */
  resume(): void {
    if (this.#queue.size > 0) this.#turn ??= setImmediate(() => this.#serve());
  }

  /** Cuts who was kept back; their clients go elsewhere. */
  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    for (const socket of this.#queue.keys()) socket.destroy();
    this.#queue.clear();
  }

  #serve(): void {
    this.#turn = undefined;
    const { crowd, patienceMs, sliceMs, now, serve } = this.#options;
    const start = now();
    for (const [socket, since] of this.#queue) {
      if (now() - start >= sliceMs) break;
      if (crowd() === 'waiting' && start - since < patienceMs) {
        this.#expect();
        return;
      }
      this.#queue.delete(socket);
      serve(socket);
    }
    this.resume();
    if (this.#queue.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Looks again when the oldest has waited long enough. */
  #expect(): void {
    if (this.#timer !== undefined) return;
    const [since] = this.#queue.values();
    if (since === undefined) return;
    const { patienceMs, now } = this.#options;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.resume();
      },
      Math.max(0, since + patienceMs - now()),
    );
  }
}
