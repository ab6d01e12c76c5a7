import type { Socket } from 'node:net';
import { FairPlaces } from '../limits/fair-places.ts';
import type { HandshakeLimit } from './handshake-limit.ts';

/** Why a connection whose ClientHello had come was closed. */
export type GateRefusal = 'queue-full' | 'waited-too-long' | 'too-slow';

export interface GateOptions {
  /** Handshakes in progress at once; told how much of our time each took. */
  readonly limit: Pick<HandshakeLimit, 'atOnce' | 'done'>;
  /** Connections that may wait for their turn. */
  readonly waiting: number;
  /** A connection that waited longer would not end its handshake before its client gives up, so it is closed instead. */
  readonly waitMs: number;
  /** Handshakes that may go on without a place, because their clients let us wait. */
  readonly slow: number;
  /** Milliseconds from any beginning, and how many of them the event loop had nothing to do. */
  readonly clock: () => { readonly now: number; readonly idle: number };
  readonly begin: (socket: Socket) => void;
  readonly refuse: (socket: Socket, reason: GateRefusal) => void;
}

/**
 * When the event loop had nothing to do for so long since a handshake began, all that its client has sent was looked at:
 * what is missing is the client's to send, and it takes none of our time. A few round trips in a cluster.
 */
const clientsTurnMs = 10;

/** Twice what a handshake may take: nobody keeps a place for longer, even in a process that is never idle. */
const longestMs = 400;

interface Running {
  readonly began: ReturnType<GateOptions['clock']>;
  readonly holder: string;
}

/**
 * Lets a bounded number of TLS handshakes run at once; those that wait take turns by address, each address oldest first.
 * Without it a crowd of new connections (a restarted cluster) shares the CPU so evenly that every one of them misses its
 * client's deadline, forever. A place is for our work: a client that lets us wait loses it to the next, and goes on without.
 */
export class HandshakeGate {
  readonly #options: GateOptions;
  /** Oldest first. */
  readonly #running = new Map<Socket, Running>();
  readonly #slow: FairPlaces<Socket>;
  /** Of the slow ones, those that may be so because we are. */
  readonly #late = new WeakMap<Socket, Running>();
  readonly #waiting: FairPlaces<Socket>;
  /** Of those that wait: who they are, and when it is too late for them. */
  readonly #waits = new Map<Socket, { readonly holder: string; readonly timer: NodeJS.Timeout }>();
  #look: NodeJS.Timeout | undefined;

  constructor(options: GateOptions) {
    this.#options = options;
    const { waiting, slow, refuse } = options;
    this.#waiting = new FairPlaces({
      max: waiting,
      beyondShare: 'refuse',
      evict: (socket) => refuse(socket, 'queue-full'),
    });
    this.#slow = new FairPlaces({
      max: slow,
      beyondShare: 'replace-oldest',
      evict: (socket) => refuse(socket, 'too-slow'),
    });
  }

  /** Handshakes that have a place. */
  get running(): number {
    return this.#running.size;
  }

  /** Handshakes that go on without one. */
  get slow(): number {
    return this.#slow.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a connection whose ClientHello has come; its handshake begins now, later, or is refused. */
  admit(socket: Socket, holder: string): void {
    const { waitMs, refuse } = this.#options;
    // A socket that ends in whatever way gives back its place; this is what keeps the gate from jamming.
    socket.once('close', () => this.#leave(socket));
    if (this.#waiting.size === 0 && this.#hasPlace()) this.#begin(socket, holder);
    else if (!this.#waiting.take(socket, holder)) refuse(socket, 'queue-full');
    else {
      this.#waits.set(socket, { holder, timer: setTimeout(refuse, waitMs, socket, 'waited-too-long') });
      this.#look ??= setTimeout(() => this.#lookAgain(), clientsTurnMs);
    }
  }

  /** The handshake ended well. Safe to call again, and before the socket closes. */
  done(socket: Socket): void {
    const running = this.#running.get(socket) ?? this.#late.get(socket);
    this.#late.delete(socket);
    if (running !== undefined) this.#options.limit.done(this.#spentOn(running).busyMs);
    this.#leave(socket);
  }

  #leave(socket: Socket): void {
    clearTimeout(this.#waits.get(socket)?.timer);
    this.#waits.delete(socket);
    this.#waiting.leave(socket);
    this.#running.delete(socket);
    this.#slow.leave(socket);
    this.#fill();
  }

  /** The limit may have grown meanwhile: then one that leaves lets in several. */
  #fill(): void {
    while (this.#waiting.size > 0 && this.#hasPlace()) {
      const next = this.#waiting.next();
      const wait = next === undefined ? undefined : this.#waits.get(next);
      if (next === undefined || wait === undefined) break;
      clearTimeout(wait.timer);
      this.#waits.delete(next);
      this.#begin(next, wait.holder);
    }
  }

  #begin(socket: Socket, holder: string): void {
    this.#running.set(socket, { holder, began: this.#options.clock() });
    this.#options.begin(socket);
  }

  /** Those that wait come in as soon as clients turn out to be slow, also while nobody comes or goes. */
  #lookAgain(): void {
    this.#look = undefined;
    this.#fill();
    if (this.#waiting.size > 0) this.#look = setTimeout(() => this.#lookAgain(), clientsTurnMs);
  }

  #hasPlace(): boolean {
    const { limit } = this.#options;
    for (const [socket, running] of this.#running) {
      if (this.#running.size < limit.atOnce) break;
      const { idleMs, busyMs } = this.#spentOn(running);
      const isClientsTurn = idleMs >= clientsTurnMs;
      if (!isClientsTurn && busyMs < longestMs) break;
      this.#running.delete(socket);
      this.#slow.take(socket, running.holder);
      // Whose turn it is in a busy process is known only when the handshake ends; one that never does says nothing.
      if (!isClientsTurn) this.#late.set(socket, running);
    }
    return this.#running.size < limit.atOnce;
  }

  #spentOn({ began }: Running): { readonly idleMs: number; readonly busyMs: number } {
    const { now, idle } = this.#options.clock();
    const idleMs = idle - began.idle;
    return { idleMs, busyMs: now - began.now - idleMs };
  }
}
