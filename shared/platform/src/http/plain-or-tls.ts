import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';

/** A TLS connection begins with a handshake record (RFC 8446 §5.1); no HTTP method begins with this byte. */
const handshakeRecord = 0x16;

/** A client that says nothing holds its place no longer than this. */
const usualSilenceMs = 10_000;

/** HTTP/1.1 servers for one port that speaks plain HTTP and, once there is material, TLS. */
export class PlainOrTls {
  readonly #tls: TlsServer;
  readonly #undecided = new Set<Socket>();
  readonly #silenceMs: number;
  #trustAnchors: string | undefined;
  #serveTls: ((socket: Socket) => void) | undefined;

  constructor({ silenceMs = usualSilenceMs }: { readonly silenceMs?: number } = {}) {
    this.#silenceMs = silenceMs;
    this.#tls = createTlsServer({
      ...secureContextOptions(undefined, undefined),
      ALPNProtocols: ['http/1.1'],
      // Asked for, since replicas show one to each other; people and scrapers have none and are served all the same.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: silenceMs,
    });
    this.#tls.on('secureConnection', (socket: TLSSocket) => this.#serveTls?.(socket));
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** PEM of whom clients are believed by now; undefined before the first material. */
  get trustAnchors(): string | undefined {
    return this.#trustAnchors;
  }

  /** What handshakes from now on show and believe; connections that are open stay as they are. */
  replaceTlsMaterial(material: TlsMaterial): void {
    this.#tls.setSecureContext(secureContextOptions(material.trustAnchors, material));
    this.#trustAnchors = material.trustAnchors;
  }

  /** An HTTP server that looks at the first byte before it parses. */
  createServer(handler: RequestListener): Server {
    const server = createServer(
      { headersTimeout: this.#silenceMs, requestTimeout: this.#silenceMs },
      handler,
    );
    // Node's own listener parses what a connection says; ours decides which connection that is.
    const parse = server.listeners('connection');
    const serve = (socket: Socket): void => {
      for (const listener of parse) listener.call(server, socket);
    };
    this.#serveTls = serve;
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#decide(socket, serve));
    return server;
  }

  /** Lets go of connections that have not said anything yet, which no HTTP server knows of. */
  hangUp(): void {
    for (const socket of this.#undecided) socket.destroy();
  }

  #decide(socket: Socket, serve: (socket: Socket) => void): void {
    this.#undecided.add(socket);
    socket.on('error', ignore);
    socket.setTimeout(this.#silenceMs, () => socket.destroy());
    socket.once('close', () => this.#undecided.delete(socket));
    socket.once('readable', () => {
      this.#undecided.delete(socket);
      socket.setTimeout(0);
      const first: Buffer | null = socket.read(1);
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      if (first[0] !== handshakeRecord) serve(socket);
      else if (this.#trustAnchors !== undefined) this.#shakeHands(socket);
      else socket.destroy();
    });
  }

  #shakeHands(socket: Socket): void {
    // HTTP servers open their sockets so that a client that has ended may still be answered. In a handshake such a client
    // has turned away, often because it does not believe our certificate: it would be waited for.
    socket.allowHalfOpen = false;
    this.#tls.emit('connection', socket);
  }
}

const ignore = (): void => {};
