import { createServer, type Server, type Socket } from 'node:net';
import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, isLoopback, printHostPort } from '@gatehouse/core/host-port';
import { FairPlaces } from '../limits/fair-places.ts';
import { holderOf } from '../limits/holder.ts';
import { cannotListen } from '../process/listen-error.ts';
import { clientOf } from '../tls/client-of.ts';
import type { TlsMaterial } from '../tls/material.ts';
import {
  type AcceptLimits,
  type AcceptRefusal,
  type HandshakeState,
  TlsAcceptor,
} from '../tls/tls-acceptor.ts';

/** Why a connection did not come so far as to speak HTTP/2, or had to make room for another. */
export type Refusal = AcceptRefusal | 'accept' | 'too-many-connections';

export interface AcceptorOptions {
  readonly address: HostPort;
  /** The variable that the address came from, for the message when it cannot be listened on. */
  readonly setting: string;
  readonly tls: 'plaintext' | { readonly material?: TlsMaterial };
  /** Connections that may be open at once; when there are more, the address that has most of them gives up its oldest. */
  readonly maxConnections: number;
  readonly acceptLimits?: Partial<AcceptLimits>;
  readonly onConnection: (socket: Socket) => void;
  readonly onRefused: (reason: Refusal, error: Error | undefined, client: string) => void;
}

/** What a client may make us hold of its bytes before TLS has begun. */
const peekedBytes = 16_384;

/** Listens, and hands over connections that are ready for HTTP/2: plaintext at once, TLS after the handshake. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #listener: Server;
  readonly #tlsAcceptor: TlsAcceptor | undefined;
  /** Every socket that is open, in a handshake or beyond it. */
  readonly #sockets: FairPlaces<Socket>;
  readonly #whenIdle = new Set<() => void>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#sockets = new FairPlaces({
      max: options.maxConnections,
      beyondShare: 'refuse',
      evict: (socket) => this.#refuse(socket),
    });
    const { tls, acceptLimits, onRefused } = options;
    if (tls !== 'plaintext') {
      this.#tlsAcceptor = new TlsAcceptor({
        ...tls,
        ...(acceptLimits === undefined ? {} : { limits: acceptLimits }),
        alpn: 'h2',
        onSecure: (socket) => {
          // Proxies offer no ALPN, and node:http2 drops a TLS socket without it (contract/proxy.md §0 row 1).
          if (socket.alpnProtocol === false) socket.alpnProtocol = 'h2';
          options.onConnection(socket);
        },
        onRefused,
      });
    }
    this.#listener = createServer({ noDelay: true, highWaterMark: peekedBytes }, (socket) =>
      this.#accept(socket),
    );
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Undefined in plaintext. */
  get handshakes(): HandshakeState | undefined {
    return this.#tlsAcceptor?.state;
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
    this.#tlsAcceptor?.replaceTlsMaterial(material);
  }

  /** From now on nobody comes in: not those at the door, not those in a handshake. */
  stopListening(): void {
    this.#listener.close();
    this.#tlsAcceptor?.close();
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
    if (!this.#sockets.take(socket, holderOf(socket.remoteAddress ?? ''))) {
      this.#refuse(socket);
      return;
    }
    socket.once('close', () => {
      this.#sockets.leave(socket);
      if (this.#sockets.size === 0) for (const resolve of this.#whenIdle) resolve();
    });
    if (this.#tlsAcceptor === undefined) {
      // Resets are part of life; without a listener each would end the process.
      socket.on('error', ignore);
      this.#options.onConnection(socket);
    } else this.#tlsAcceptor.admit(socket);
  }

  #refuse(socket: Socket): void {
    this.#options.onRefused('too-many-connections', undefined, clientOf(socket));
    socket.destroy();
  }
}

const ignore = (): void => {};
