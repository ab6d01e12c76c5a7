import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, isLoopback, printHostPort } from '@gatehouse/core/host-port';
import { cannotListen } from '../process/listen-error.ts';
import { HandOver } from '../tls/hand-over.ts';
import { HandshakeGate } from '../tls/handshake-gate.ts';
import { HandshakeLimit } from '../tls/handshake-limit.ts';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';

/** Why a connection did not come so far as to speak HTTP/2. */
export type Refusal =
  | 'accept'
  | 'handshake'
  | 'handshake-timeout'
  | 'hung-up'
  | 'queue-full'
  | 'waited-too-long';

export interface AcceptorOptions {
  readonly address: HostPort;
  /** The variable that the address came from, for the message when it cannot be listened on. */
  readonly setting: string;
  readonly tls: 'plaintext' | { readonly material?: TlsMaterial };
  readonly handshakes?: HandshakeLimits;
  readonly onConnection: (socket: Socket) => void;
  readonly onRefused: (reason: Refusal, error: Error | undefined, client: string) => void;
}

/** Connections on their way in, by how far they are. */
export interface HandshakeState {
  readonly running: number;
  readonly waiting: number;
  /** Through, and kept back because others wait. */
  readonly done: number;
  /** How many may run at once now. */
  readonly limit: number;
}

export interface HandshakeLimits {
  /** Never more at once than this; how many it is follows what they take. */
  readonly atOnce: number;
  readonly waiting: number;
  readonly waitMs: number;
  /** After this a client that began no handshake, or does not go on with it, loses its place. */
  readonly timeoutMs: number;
}

/**
 * The proxy allows one second for TCP and TLS together (contract/proxy.md §1.1): half a second of waiting and 200 ms for the
 * handshake make 700 ms, and leave the rest to the network.
 */
const handshakeLimits: HandshakeLimits = { atOnce: 256, waiting: 2_048, waitMs: 500, timeoutMs: 3_000 };
const handshakeMs = 200;
const startingLimit = 32;
const leastLimit = 8;

/** As long as a wave of clients lasts, and a fraction of what calls may wait after it. */
const handOver = { patienceMs: 2_000, sliceMs: 5 };

/** Listens, and hands over connections that are ready for HTTP/2: plaintext at once, TLS after the handshake. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #listener: Server;
  readonly #tls: TlsServer | undefined;
  /** Every socket that is open, in a handshake or beyond it. */
  readonly #sockets = new Set<Socket>();
  /** Sockets in a handshake by the client's address, since a finished one is known by nothing else. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #limit: HandshakeLimit;
  readonly #gate: HandshakeGate;
  readonly #handOver: HandOver;
  readonly #whenIdle = new Set<() => void>();
  #stopped = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#tls = options.tls === 'plaintext' ? undefined : this.#createTls(options.tls.material);
    const { atOnce, waiting, waitMs } = options.handshakes ?? handshakeLimits;
    const now = (): number => performance.now();
    this.#limit = new HandshakeLimit({
      start: Math.min(startingLimit, atOnce),
      least: Math.min(leastLimit, atOnce),
      most: atOnce,
      targetMs: handshakeMs,
      utilization: loopUtilization(),
    });
    this.#gate = new HandshakeGate({
      limit: this.#limit,
      waiting,
      waitMs,
      now,
      begin: (socket) => this.#beginHandshake(socket),
      refuse: (socket, reason) => {
        options.onRefused(reason, undefined, clientOf(socket));
        socket.destroy();
      },
      onCalm: () => this.#handOver.resume(),
    });
    this.#handOver = new HandOver({
      ...handOver,
      crowd: () => (this.#gate.waiting > 0 ? 'waiting' : this.#gate.running > 0 ? 'some' : 'none'),
      now,
      serve: (socket) => options.onConnection(socket),
    });
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get handshakes(): HandshakeState {
    return {
      running: this.#gate.running,
      waiting: this.#gate.waiting,
      done: this.#handOver.waiting,
      limit: this.#limit.atOnce,
    };
  }

  /** Resolves to the bound address. Rejects with a message that says which setting to change. */
  async listen(): Promise<HostPort> {
    const { address, setting, tls } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#listener.once('error', reject);
    this.#listener.listen({ host: address.host, port: address.port, backlog: 4_096 }, resolve);
    try {
      await promise;
    } catch (error) {
      throw cannotListen(setting, address, error);
    }
    this.#listener.off('error', reject);
    // Later errors are of single accepts (out of file descriptors); the listener lives on and they must not end the process.
    this.#listener.on('error', (error) => this.#options.onRefused('accept', error, ''));
    const bound = this.#listener.address();
    if (bound === null || typeof bound === 'string')
      throw new GatehouseError('internal', 'not bound to an address');
    if (tls === 'plaintext' && !isLoopback(bound.address)) {
      this.stopListening();
      throw new GatehouseError(
        'invalid-argument',
        `plaintext gRPC is served on loopback only, and ${setting} ${printHostPort(address)} is ${bound.address}`,
      );
    }
    return { host: bound.address, port: bound.port };
  }

  /** What handshakes from now on show and believe; connections that are open stay as they are. */
  replaceTlsMaterial(material: TlsMaterial): void {
    this.#tls?.setSecureContext(secureContextOptions(material?.trustAnchors, material));
  }

  /** From now on nobody comes in: not those at the door, not those in a handshake. */
  stopListening(): void {
    this.#stopped = true;
    this.#listener.close();
    for (const socket of this.#handshakes.values()) socket.destroy();
    this.#handOver.clear();
  }

  /** Resolves when no connection is open, or when `signal` aborts. */
  async idle(signal?: AbortSignal): Promise<void> {
    if (this.#sockets.size === 0 || signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle.add(resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#whenIdle.delete(resolve);
  }

  /** Cuts every connection that is still open; resolves when they are closed. */
  async destroyConnections(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.idle();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) for (const resolve of this.#whenIdle) resolve();
    });
    // Resets are part of life; without a listener each would end the process.
    socket.on('error', ignore);
    if (this.#tls === undefined) this.#options.onConnection(socket);
    else this.#gate.admit(socket);
  }

  #beginHandshake(socket: Socket): void {
    if (this.#stopped) {
      socket.destroy();
      return;
    }
    const client = clientOf(socket);
    this.#handshakes.set(client, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(client) === socket) this.#handshakes.delete(client);
    });
    this.#tls?.emit('connection', socket);
  }

  #createTls(material: TlsMaterial | undefined): TlsServer {
    const server = createTlsServer({
      ...secureContextOptions(material?.trustAnchors, material),
      ALPNProtocols: ['h2'],
      // Asked for, never demanded: the proxy's first connections are older than its first certificate (contract/proxy.md §0).
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: (this.#options.handshakes ?? handshakeLimits).timeoutMs,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', ignore);
      const raw = this.#handshakes.get(clientOf(socket));
      if (raw !== undefined) {
        this.#handshakes.delete(clientOf(socket));
        this.#gate.done(raw);
      }
      // Proxies offer no ALPN, and node:http2 drops a TLS socket without it (contract/proxy.md §0 row 1).
      if (socket.alpnProtocol === false) socket.alpnProtocol = 'h2';
      this.#handOver.take(socket);
    });
    server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
      const reason =
        error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT'
          ? 'handshake-timeout'
          : error.code === 'ECONNRESET'
            ? 'hung-up'
            : 'handshake';
      this.#options.onRefused(reason, error, clientOf(socket));
      // After a timeout Node leaves this to us, and the place in the gate is given back by the close.
      socket.destroy();
    });
    return server;
  }
}

const ignore = (): void => {};

/** The share of time that the event loop was at work, from one call to the next. */
const loopUtilization = (): (() => number) => {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
};

const clientOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`;
