import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { within } from '../process/within.ts';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';
import { nameFlaw } from '../tls/name-flaw.ts';
import { frameMessage, MessageReader } from './message-frames.ts';
import { errorOfStatus } from './status.ts';

export interface GrpcClientOptions {
  readonly address: HostPort;
  readonly security: 'plaintext' | ClientTls;
  /** For TCP and TLS together; the proxy's own bound is one second. */
  readonly connectTimeoutMs?: number;
  /** The local address to dial from. */
  readonly localAddress?: string;
  /** The proxy's limit is 4 MiB. */
  readonly maxMessageBytes?: number;
}

/** TLS as linkerd2-proxy speaks it to its control plane (contract/proxy.md §3.2): 1.3 only, no ALPN, no resumption. */
export interface ClientTls {
  /** The server's mesh name: sent as SNI, and must be among the DNS SANs of what it shows. */
  readonly serverName: string;
  /** PEM, one root or several. */
  readonly trustAnchors: string;
  /** Our own leaf, shown when the server asks. */
  readonly certificate?: Pick<TlsMaterial, 'key' | 'chain'>;
}

export interface StreamHandlers {
  onMessage(message: Uint8Array): void;
  /** Called once; undefined = the server ended the stream with OK. Not called after `cancel`. */
  onEnd(error: GatehouseError | undefined): void;
}

/**
 * gRPC for our own processes: unary and server-stream calls, messages as bytes. One connection, made by the first call that
 * needs it and made again by the first call after it is lost; when to try again is the caller's business (watch.ts has the proxy's rules).
 */
export class GrpcClient {
  readonly #options: GrpcClientOptions;
  #connecting: Promise<ClientHttp2Session> | undefined;
  #closed = false;

  constructor(options: GrpcClientOptions) {
    this.#options = options;
  }

  /** Rejects with a GatehouseError: the server's status, or `unavailable` when the connection failed. */
  async unary(
    path: string,
    request: Uint8Array,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    let answer: Uint8Array | undefined;
    const cancel = this.serverStream(path, request, {
      onMessage: (message) => {
        answer = message;
      },
      onEnd: (error) => {
        if (error !== undefined) reject(error);
        else if (answer === undefined)
          reject(new GatehouseError('internal', 'the server answered without a message'));
        else resolve(answer);
      },
    });
    const abort = (): void => {
      cancel();
      reject(new GatehouseError('cancelled', 'the call was cancelled', { cause: signal?.reason }));
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Opens a stream; the function that comes back cancels it. Nothing is thrown: failures come by `onEnd`. */
  serverStream(path: string, request: Uint8Array, handlers: StreamHandlers): () => void {
    let stream: ClientHttp2Stream | undefined;
    let over = false;
    const end = (error: GatehouseError | undefined): void => {
      if (over) return;
      over = true;
      handlers.onEnd(error);
    };
    const open = async (): Promise<void> => {
      const session = await this.#session();
      if (over) return;
      stream = this.#request(session, path, request, {
        onMessage: (message) => {
          if (!over) handlers.onMessage(message);
        },
        onEnd: end,
      });
    };
    open().catch((thrown) => end(asGatehouseError(thrown)));
    return () => {
      over = true;
      stream?.close(constants.NGHTTP2_CANCEL);
    };
  }

  /** Ends the connection and with it every call. */
  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#connecting?.catch(() => undefined);
    if (session === undefined || session.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    session.once('close', resolve);
    session.destroy();
    await promise;
  }

  #request(
    session: ClientHttp2Session,
    path: string,
    request: Uint8Array,
    handlers: StreamHandlers,
  ): ClientHttp2Stream {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const reader = new MessageReader(this.#options.maxMessageBytes ?? 4 * 1024 * 1024);
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let failure: GatehouseError | undefined;
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) handlers.onMessage(message);
      } catch (thrown) {
        failure = asGatehouseError(thrown);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    let lost: Error | undefined;
    stream.on('error', (error) => {
      lost = error;
    });
    stream.on('close', () => {
      const status = failure ?? statusOf({ ...headers, ...trailers });
      if (status !== undefined) handlers.onEnd(status === 'ok' ? undefined : status);
      else if (this.#closed) handlers.onEnd(new GatehouseError('cancelled', 'the client was closed'));
      // A lost connection closes its streams as if they had been reset.
      else if (session.destroyed) {
        handlers.onEnd(new GatehouseError('unavailable', 'the connection was lost', { cause: lost }));
      } else handlers.onEnd(resetError(stream.rstCode));
    });
    stream.end(frameMessage(request));
    return stream;
  }

  async #session(): Promise<ClientHttp2Session> {
    if (this.#closed) throw new GatehouseError('cancelled', 'the client is closed');
    this.#connecting ??= this.#connect();
    try {
      const session = await this.#connecting;
      if (!session.closed && !session.destroyed) return session;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
    this.#connecting = undefined;
    return this.#session();
  }

  async #connect(): Promise<ClientHttp2Session> {
    const socket = await dial(this.#options);
    const { address } = this.#options;
    // Scheme http, also over TLS, as the proxy has it; the address as given is the authority (contract/proxy.md §1.1).
    const session = connect(`http://${printHostPort(address)}`, { createConnection: () => socket });
    // Each call reports the loss by itself; without a listener it would end the process.
    session.on('error', () => {});
    session.on('goaway', () => session.close());
    return session;
  }
}

/** What the server said about the call: its grpc-status, else HTTP's; undefined = nothing. */
const statusOf = (headers: IncomingHttpHeaders): GatehouseError | 'ok' | undefined => {
  const status = headers['grpc-status'];
  if (typeof status === 'string') {
    const message = typeof headers['grpc-message'] === 'string' ? headers['grpc-message'] : '';
    return status === '0' ? 'ok' : errorOfStatus(Number(status), decoded(message));
  }
  const http = Number(headers[':status'] ?? 200);
  if (http === 200) return undefined;
  return new GatehouseError(
    http === 404 ? 'unimplemented' : 'unavailable',
    `the server answered HTTP ${http}`,
  );
};

/** A stream that was reset, or ended without a status, as gRPC reads HTTP/2's error codes. */
const resetError = (code: number | undefined): GatehouseError => {
  switch (code) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return new GatehouseError('unavailable', 'the server refused the stream');
    case constants.NGHTTP2_CANCEL:
      return new GatehouseError('cancelled', 'the server cancelled the stream');
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new GatehouseError('resource-exhausted', 'the server reset the stream: too slow or too much');
    case constants.NGHTTP2_INTERNAL_ERROR:
      return new GatehouseError('internal', 'the server reset the stream');
    default:
      return new GatehouseError('unavailable', `the stream ended without a status (HTTP/2 code ${code})`);
  }
};

const decoded = (message: string): string => {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
};

const dial = async (options: GrpcClientOptions): Promise<Socket> => {
  const { address, security, localAddress, connectTimeoutMs = 1_000 } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const target = { ...address, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) };
  const socket =
    security === 'plaintext'
      ? connectTcp(target, resolve)
      : connectTls(
          {
            ...target,
            ...secureContextOptions(security.trustAnchors, security.certificate),
            servername: security.serverName,
            checkServerIdentity: (_, certificate) => identityError(certificate.raw, security.serverName),
          },
          resolve,
        );
  socket.once('error', reject);
  const late = (): Error => new Error(`not connected within ${connectTimeoutMs} ms`);
  try {
    await within({ ms: connectTimeoutMs, late }, () => promise);
    return socket;
  } catch (cause) {
    socket.destroy();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatehouseError('unavailable', `no connection to ${printHostPort(address)}: ${reason}`, {
      cause,
    });
  } finally {
    socket.off('error', reject);
  }
};

/** The path was checked by OpenSSL. */
const identityError = (certificate: Uint8Array, name: string): Error | undefined => {
  const flaw = nameFlaw(certificate, name);
  return flaw === undefined ? undefined : new Error(`the server is ${flaw}`);
};
