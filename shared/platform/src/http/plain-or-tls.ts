import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { FairPlaces } from '../limits/fair-places.ts';
import { holderOf } from '../limits/holder.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { type AcceptRefusal, TlsAcceptor } from '../tls/tls-acceptor.ts';

export interface PlainOrTlsOptions {
  /** How long a client may take to say what it wants: its ClientHello, its handshake, the headers of its request. */
  readonly silenceMs?: number;
  /** Connections that may be open at once; when there are more, the address that has most of them loses its oldest. */
  readonly maxConnections?: number;
  readonly onRefused?: (reason: AcceptRefusal | 'too-many-connections') => void;
}

/** How often headers that are too slow are looked for; Node's own 30 s would make a limit of 10 s one of 40. */
const lookEveryMs = 1_000;

/** HTTP/1.1 servers for one port that speaks plain HTTP and, once there is material, TLS. */
export class PlainOrTls {
  readonly #silenceMs: number;
  readonly #tlsAcceptor: TlsAcceptor;
  readonly #connections: FairPlaces<Socket>;
  #trustAnchors: string | undefined;
  #serve: (socket: Socket) => void = (socket) => socket.destroy();

  constructor({ silenceMs = 10_000, maxConnections = 1_024, onRefused = () => {} }: PlainOrTlsOptions = {}) {
    this.#silenceMs = silenceMs;
    this.#connections = new FairPlaces({
      max: maxConnections,
      // A request here is answered at once; a connection that is old is idle, or never said anything.
      beyondShare: 'replace-oldest',
      evict: (socket) => {
        onRefused('too-many-connections');
        socket.destroy();
      },
    });
    this.#tlsAcceptor = new TlsAcceptor({
      alpn: 'http/1.1',
      limits: { helloMs: silenceMs, timeoutMs: silenceMs },
      onSecure: (socket) => this.#serve(socket),
      onPlain: (socket) => this.#serve(socket),
      onRefused,
    });
  }

  /** PEM of whom clients are believed by now; undefined before the first material. */
  get trustAnchors(): string | undefined {
    return this.#trustAnchors;
  }

  /** What handshakes from now on show and believe; connections that are open stay as they are. */
  replaceTlsMaterial(material: TlsMaterial): void {
    this.#tlsAcceptor.replaceTlsMaterial(material);
    this.#trustAnchors = material.trustAnchors;
  }

  /** An HTTP server that looks at the first byte before it parses. */
  createServer(handler: RequestListener): Server {
    const server = createServer(
      {
        headersTimeout: this.#silenceMs,
        requestTimeout: this.#silenceMs,
        connectionsCheckingInterval: lookEveryMs,
      },
      handler,
    );
    // Node's own listener parses what a connection says; ours decides which connection that is.
    const parse = server.listeners('connection');
    this.#serve = (socket) => {
      for (const listener of parse) listener.call(server, socket);
    };
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#admit(socket));
    return server;
  }

  /** Lets go of connections that have not said anything yet, which no HTTP server knows of. */
  hangUp(): void {
    this.#tlsAcceptor.close();
  }

  #admit(socket: Socket): void {
    this.#connections.take(socket, holderOf(socket.remoteAddress ?? ''));
    socket.once('close', () => this.#connections.leave(socket));
    this.#tlsAcceptor.admit(socket);
  }
}
