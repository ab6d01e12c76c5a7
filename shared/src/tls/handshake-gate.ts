import type { Socket } from 'node:net';

export interface GateOptions {
  /** Handshakes in progress at once; each costs about a millisecond of CPU, and clients give up after one second. */
  readonly atOnce: number;
  /** Accepted connections that may wait for their turn. */
  readonly waiting: number;
  /** A connection that waited longer would not end its handshake before its client gives up, so it is closed instead. */
  readonly waitMs: number;
  readonly begin: (socket: Socket) => void;
  readonly refuse: (socket: Socket, reason: 'queue-full' | 'waited-too-long') => void;
}

/**
 * Lets a bounded number of TLS handshakes run at once, oldest first. Without it a crowd of new connections (a restarted
 * cluster) shares the CPU so evenly that every one of them misses its client's deadline, for ever.
 */
export class HandshakeGate {
  readonly #options: GateOptions;
  readonly #running = new Set<Socket>();
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
    const { atOnce, waiting, waitMs, refuse } = this.#options;
    // A socket that ends in whatever way gives back its place; this is what keeps the gate from jamming.
    socket.once('close', () => this.leave(socket));
    if (this.#running.size < atOnce) this.#begin(socket);
    else if (this.#queue.size >= waiting) refuse(socket, 'queue-full');
    else this.#queue.set(socket, setTimeout(refuse, waitMs, socket, 'waited-too-long'));
  }

  /** The handshake is over, well or not. Safe to call again. */
  leave(socket: Socket): void {
    clearTimeout(this.#queue.get(socket));
    this.#queue.delete(socket);
    this.#running.delete(socket);
    const [next] = this.#queue.keys();
    if (next !== undefined && this.#running.size < this.#options.atOnce) {
      clearTimeout(this.#queue.get(next));
      this.#queue.delete(next);
      this.#begin(next);
    }
  }

  #begin(socket: Socket): void {
    this.#running.add(socket);
    this.#options.begin(socket);
  }
}
