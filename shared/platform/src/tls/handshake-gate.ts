import type { Socket } from 'node:net';
import type { HandshakeLimit } from './handshake-limit.ts';

export interface GateOptions {
  /** Handshakes in progress at once; told how long each took that ended well. */
  readonly limit: Pick<HandshakeLimit, 'atOnce' | 'done'>;
  /** Accepted connections that may wait for their turn. */
  readonly waiting: number;
  /** A connection that waited longer would not end its handshake before its client gives up, so it is closed instead. */
  readonly waitMs: number;
  /** Milliseconds from any beginning. */
  readonly now: () => number;
  readonly begin: (socket: Socket) => void;
  readonly refuse: (socket: Socket, reason: 'queue-full' | 'waited-too-long') => void;
  /** Nobody waits any more, after somebody did. */
  readonly onCalm: () => void;
}

/**
 * Lets a bounded number of TLS handshakes run at once, oldest first. Without it a crowd of new connections (a restarted
 * cluster) shares the CPU so evenly that every one of them misses its client's deadline, for ever.
 */
export class HandshakeGate {
  readonly #options: GateOptions;
  /** When each began. */
  readonly #running = new Map<Socket, number>();
  readonly #queue = new Map<Socket, NodeJS.Timeout>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Takes an accepted connection; it begins now, later, or is refused. */
  admit(socket: Socket): void {
    const { limit, waiting, waitMs, refuse } = this.#options;
    // A socket that ends in whatever way gives back its place; this is what keeps the gate from jamming.
    socket.once('close', () => this.#leave(socket));
    if (this.#running.size < limit.atOnce) this.#begin(socket);
    else if (this.#queue.size >= waiting) refuse(socket, 'queue-full');
    else this.#queue.set(socket, setTimeout(refuse, waitMs, socket, 'waited-too-long'));
  }

  /** The handshake ended well. Safe to call again, and before the socket closes. */
  done(socket: Socket): void {
    const begunAt = this.#running.get(socket);
    if (begunAt !== undefined) this.#options.limit.done(this.#options.now() - begunAt);
    this.#leave(socket);
  }

  #leave(socket: Socket): void {
    const waited = this.#queue.size > 0;
    clearTimeout(this.#queue.get(socket));
    this.#queue.delete(socket);
    this.#running.delete(socket);
    // The limit may have grown meanwhile: then one that leaves lets in several.
    for (const [next, timer] of this.#queue) {
      if (this.#running.size >= this.#options.limit.atOnce) break;
      clearTimeout(timer);
      this.#queue.delete(next);
      this.#begin(next);
    }
    if (waited && this.#queue.size === 0) this.#options.onCalm();
  }

  #begin(socket: Socket): void {
    this.#running.set(socket, this.#options.now());
    this.#options.begin(socket);
  }
}
