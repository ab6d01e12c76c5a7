import type { Socket } from 'node:net';
import { FairPlaces } from '../limits/fair-places.ts';
import { holderOf } from '../limits/holder.ts';
import { ClientHelloReader } from './client-hello.ts';

/** Why a connection was closed before it had said what it wants. */
export type HelloRefusal = 'silent' | 'too-many-silent' | 'hello-too-long';

export interface PendingHellosOptions {
  /** Connections that may be waited for at once. */
  readonly max: number;
  /** From the connection to the last byte of its ClientHello, in milliseconds. */
  readonly withinMs: number;
  readonly maxBytes: number;
  /** A whole ClientHello has come, and nothing of it is lost: a TLS server can take over the socket now or later. */
  readonly onHello: (socket: Socket, holder: string) => void;
  /** The first bytes are not TLS; the socket still has them. */
  readonly onPlain: (socket: Socket) => void;
  readonly refuse: (socket: Socket, reason: HelloRefusal) => void;
  /** The client has gone before it said what it wants. */
  readonly onGone: (socket: Socket) => void;
}

/**
 * Where connections wait until their clients have spoken. Anyone who only connects, or sends a ClientHello byte by byte, costs
 * a few kilobytes here for a short time, and no place in a handshake. When there are too many, the oldest of the address that
 * has most of them goes first: clients that mean it send their ClientHello at once, so old ones are those that do not.
 */
export class PendingHellos {
  readonly #options: PendingHellosOptions;
  readonly #silent: FairPlaces<Socket>;
  /** How to stop listening to each. */
  readonly #settle = new Map<Socket, () => void>();

  constructor(options: PendingHellosOptions) {
    this.#options = options;
    this.#silent = new FairPlaces({
      max: options.max,
      beyondShare: 'replace-oldest',
      evict: (socket) => this.#refuse(socket, 'too-many-silent'),
    });
  }

  /** Connections that have not said what they want. */
  get size(): number {
    return this.#silent.size;
  }

  admit(socket: Socket): void {
    const { withinMs, maxBytes, onHello, onPlain, onGone } = this.#options;
    const holder = holderOf(socket.remoteAddress ?? '');
    const reader = new ClientHelloReader(maxBytes);
    const pieces: Buffer[] = [];
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('readable', read);
      socket.off('error', gone);
      socket.off('close', settle);
      this.#settle.delete(socket);
      this.#silent.leave(socket);
    };
    const read = (): void => {
      const piece: Buffer | null = socket.read();
      if (piece === null) {
        gone();
        return;
      }
      pieces.push(piece);
      const progress = reader.push(piece);
      if (progress === 'more') return;
      settle();
      if (progress === 'too-long') {
        this.#options.refuse(socket, 'hello-too-long');
        return;
      }
      // Before any other reader: what takes over the socket finds it as if nobody had read from it.
      socket.unshift(Buffer.concat(pieces));
      if (progress === 'whole') onHello(socket, holder);
      else onPlain(socket);
    };
    const gone = (): void => {
      settle();
      onGone(socket);
      // One that has only ended its side might stay half open, and be waited for.
      socket.destroy();
    };
    const timer = setTimeout(() => this.#refuse(socket, 'silent'), withinMs);
    this.#settle.set(socket, settle);
    socket.on('readable', read);
    socket.on('error', gone);
    socket.on('close', settle);
    this.#silent.take(socket, holder);
  }

  /** Cuts all that have said nothing yet. */
  clear(): void {
    for (const [socket, settle] of this.#settle) {
      settle();
      socket.destroy();
    }
  }

  #refuse(socket: Socket, reason: HelloRefusal): void {
    this.#settle.get(socket)?.();
    this.#options.refuse(socket, reason);
  }
}
