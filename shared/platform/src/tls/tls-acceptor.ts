import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { clientOf } from './client-of.ts';
import { type GateRefusal, HandshakeGate } from './handshake-gate.ts';
import { HandshakeLimit } from './handshake-limit.ts';
import { secureContextOptions, type TlsMaterial } from './material.ts';
import { type HelloRefusal, PendingHellos } from './pending-hellos.ts';

/** Why a connection did not come through. */
export type AcceptRefusal =
  | HelloRefusal
  | GateRefusal
  | 'no-tls'
  | 'no-certificate'
  | 'handshake'
  | 'handshake-timeout'
  | 'hung-up';

export interface AcceptLimits {
  /** Connections that have not sent a ClientHello yet, and how long they may take; 8 KiB of it are twice the longest that is seen. */
  readonly silent: number;
  readonly helloMs: number;
  readonly helloBytes: number;
  /** Handshakes at once, never more than this; how many it is follows what they take. */
  readonly atOnce: number;
  readonly waiting: number;
  readonly waitMs: number;
  /** Handshakes that go on without a place because their clients let us wait. */
  readonly slow: number;
  /** A client that does not go on with its handshake is given up after this. */
  readonly timeoutMs: number;
}

/**
 * The proxy allows one second for TCP and TLS together (contract/proxy.md §1.1): 750 ms of waiting and 200 ms for the
 * handshake make 950 ms, and leave the rest to the network (decision 15 has the measurement).
 */
export const defaultAcceptLimits: AcceptLimits = {
  silent: 2_048,
  helloMs: 2_000,
  helloBytes: 8_192,
  atOnce: 256,
  waiting: 4_096,
  waitMs: 750,
  slow: 512,
  timeoutMs: 3_000,
};
const handshakeMs = 200;
const startingLimit = 32;
const leastLimit = 8;

export interface TlsAcceptorOptions {
  readonly alpn: string;
  /** Until there is some, TLS clients are turned away at once, without a handshake: another replica may serve. */
  readonly material?: TlsMaterial;
  readonly limits?: Partial<AcceptLimits>;
  readonly onSecure: (socket: TLSSocket) => void;
  /** Takes connections that speak something else than TLS. Default: they are refused. */
  readonly onPlain?: (socket: Socket) => void;
  readonly onRefused: (reason: AcceptRefusal, error: Error | undefined, client: string) => void;
}

/** Connections on their way in, by how far they are. */
export interface HandshakeState {
  /** No ClientHello has come. */
  readonly silent: number;
  /** It has, and the handshake waits for its turn. */
  readonly waiting: number;
  readonly running: number;
  /** Running, but the client lets us wait. */
  readonly slow: number;
  /** How many may run at once now. */
  readonly limit: number;
}

/**
 * Brings accepted connections through TLS 1.3. A connection is worth nothing until its client has sent a whole ClientHello;
 * then its handshake has its turn, fairly between addresses, and a bounded time.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #hello: PendingHellos;
  readonly #gate: HandshakeGate;
  readonly #limit: HandshakeLimit;
  readonly #tls: TlsServer;
  /** Sockets in a handshake by the client's address, since a finished one is known by nothing else. */
  readonly #handshakes = new Map<string, Socket>();
  #isClosed = false;
  #hasMaterial: boolean;

  constructor(options: TlsAcceptorOptions) {
    this.#options = options;
    this.#hasMaterial = options.material !== undefined;
    const limits = { ...defaultAcceptLimits, ...options.limits };
    const refuse = (socket: Socket, reason: AcceptRefusal): void => this.#refuse(socket, reason);
    this.#tls = this.#createServer(limits.timeoutMs);
    this.#limit = new HandshakeLimit({
      start: Math.min(startingLimit, limits.atOnce),
      least: Math.min(leastLimit, limits.atOnce),
      most: limits.atOnce,
      targetMs: handshakeMs,
    });
    this.#gate = new HandshakeGate({
      ...limits,
      limit: this.#limit,
      clock: () => ({ now: performance.now(), idle: performance.eventLoopUtilization().idle }),
      begin: (socket) => this.#begin(socket),
      refuse,
    });
    this.#hello = new PendingHellos({
      max: limits.silent,
      withinMs: limits.helloMs,
      maxBytes: limits.helloBytes,
      onHello: (socket, holder) => {
        if (this.#hasMaterial) this.#gate.admit(socket, holder);
        else refuse(socket, 'no-certificate');
      },
      onPlain: options.onPlain ?? ((socket) => refuse(socket, 'no-tls')),
      refuse,
      onGone: (socket) => options.onRefused('hung-up', undefined, clientOf(socket)),
    });
  }

  get state(): HandshakeState {
    const { running, waiting, slow } = this.#gate;
    return { silent: this.#hello.size, waiting, running, slow, limit: this.#limit.atOnce };
  }

  /** What handshakes from now on show and believe; connections that are through stay as they are. */
  replaceTlsMaterial(material: TlsMaterial): void {
    this.#tls.setSecureContext(secureContextOptions(material.trustAnchors, material));
    this.#hasMaterial = true;
  }

  admit(socket: Socket): void {
    // Resets are part of life; without a listener each would end the process.
    socket.on('error', ignore);
    this.#hello.admit(socket);
  }

  /** Nobody comes in any more: not those that are silent, not those in a handshake or waiting for one. */
  close(): void {
    this.#isClosed = true;
    this.#hello.clear();
    for (const socket of this.#handshakes.values()) socket.destroy();
  }

  #refuse(socket: Socket, reason: AcceptRefusal): void {
    this.#options.onRefused(reason, undefined, clientOf(socket));
    socket.destroy();
  }

  #begin(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    const client = clientOf(socket);
    this.#handshakes.set(client, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(client) === socket) this.#handshakes.delete(client);
    });
    // HTTP servers open their sockets so that a client that has ended may still be answered. In a handshake such a client
    // has turned away, often because it does not believe our certificate: it would be waited for.
    socket.allowHalfOpen = false;
    this.#tls.emit('connection', socket);
  }

  #createServer(handshakeTimeout: number): TlsServer {
    const { alpn, material, onSecure, onRefused } = this.#options;
    const server = createServer({
      ...secureContextOptions(material?.trustAnchors, material),
      ALPNProtocols: [alpn],
      // Asked for, never demanded: the proxy's first connections are older than its first certificate (contract/proxy.md §0),
      // and people and scrapers have none.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', ignore);
      const client = clientOf(socket);
      const raw = this.#handshakes.get(client);
      if (raw !== undefined) {
        this.#handshakes.delete(client);
        this.#gate.done(raw);
      }
      onSecure(socket);
    });
    server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
      onRefused(failureOf(error.code), error, clientOf(socket));
      // After a timeout Node leaves this to us, and the place in the gate is given back by the close.
      socket.destroy();
    });
    return server;
  }
}

const failureOf = (code: string | undefined): AcceptRefusal => {
  switch (code) {
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'handshake-timeout';
    case 'ECONNRESET':
      return 'hung-up';
    default:
      return 'handshake';
  }
};

const ignore = (): void => {};
