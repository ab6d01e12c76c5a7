import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import { readIp } from '@gatehouse/core/ip-network';
import { type FirstBytes, readFirstBytes } from './client-hello.ts';
import { connectionId } from './connection-id.ts';
import { detectHttp } from './http-preface.ts';
import type { InboundClient } from './inbound-client.ts';
import type { InboundContext } from './inbound-context.ts';
import { inboundHttpHandler } from './inbound-http.ts';
import { forwardInbound } from './inbound-tcp.ts';
import { peek } from './peek.ts';
import type { Http1Server } from './serve-http1.ts';
import { serveHttp2 } from './serve-http2.ts';
import type { TlsTerminator } from './terminate-tls.ts';

export interface InboundOptions extends InboundContext {
  readonly listen: HostPort;
  /** The variable that `listen` came from. */
  readonly setting: string;
  /** What a ClientHello must name for its TLS to be ended here. */
  readonly localName: string;
  /** Resolves with the first certificate; until then connections are accepted and nothing of them is read. */
  readonly terminator: Promise<TlsTerminator>;
  /** How long a client may take to show whether it speaks TLS. */
  readonly detectTimeoutMs: number;
  readonly http1: Http1Server;
  /** The admin port serves HTTP whatever its row says; everything else follows the row. */
  readonly admin?: boolean;
}

export interface InboundListener {
  /** As bound. */
  readonly address: HostPort;
  /** The connections that are open now. */
  readonly connections: readonly InboundClient[];
  close(): Promise<void>;
}

const nobody = { tls: { kind: 'none' }, passedThrough: undefined } as const;

/** Which protocol is spoken after TLS is out of the way; `undefined` = raw bytes. */
const chooseHttp = async (
  socket: Duplex,
  client: InboundClient,
  { policy, admin }: InboundOptions,
): Promise<{ readonly http: 1 | 2 | undefined; readonly head?: Buffer }> => {
  const { protocol } = policy.row.value.server;
  const detect = async (timeoutMs: number, otherwise: 1 | undefined) => {
    const seen = await peek(socket, {
      look: (bytes) => {
        const found = detectHttp(bytes);
        return found === 'more' ? undefined : found;
      },
      timeoutMs,
    });
    switch (seen.kind) {
      case 'timeout':
        return { http: otherwise };
      case 'ended':
        return { http: undefined, head: seen.head };
      case 'seen':
        return { http: seen.value === 'not-http' ? otherwise : seen.value === 'http1' ? 1 : 2 } as const;
    }
  };
  if (admin === true) return await detect(10_000, 1);
  switch (protocol.kind) {
    case 'opaque':
    case 'tls':
      return { http: undefined };
    case 'http1':
      // Between two proxies HTTP/1 may travel as HTTP/2 (contract/proxy.md §1.5).
      return client.tls.kind === 'none' ? { http: 1 } : await detect(10_000, 1);
    case 'http2':
    case 'grpc':
      return { http: 2 };
    case 'detect':
      return await detect(protocol.timeoutMs, undefined);
  }
};

/** Serves a connection whose client is known: by requests if it speaks HTTP, else raw. */
const serveClient = async (socket: Duplex, client: InboundClient, options: InboundOptions): Promise<void> => {
  if (client.passedThrough !== undefined) return await forwardInbound(socket, client, options);
  const { http, head } = await chooseHttp(socket, client, options);
  switch (http) {
    case 1:
      options.http1.serve(socket, inboundHttpHandler(options, client));
      return;
    case 2:
      serveHttp2(socket, inboundHttpHandler(options, client));
      return;
    case undefined:
      await forwardInbound(socket, client, head === undefined ? options : { ...options, head });
  }
};

/** The path of an inbound connection: contract/proxy.md §6.1. */
const serveConnection = async (
  socket: Socket,
  options: InboundOptions,
  identify: (client: InboundClient) => void,
): Promise<void> => {
  const address = readIp(socket.remoteAddress ?? '');
  if (address === undefined) {
    socket.destroy();
    return;
  }
  const known = (rest: Pick<InboundClient, 'tls' | 'passedThrough'>): InboundClient => {
    const client = { connection: connectionId(socket, 'server'), address, ...rest };
    identify(client);
    return client;
  };
  const terminator = await options.terminator;
  if (options.policy.row.value.server.protocol.kind === 'opaque' && options.admin !== true) {
    await forwardInbound(socket, known({ tls: { kind: 'port-skipped' }, passedThrough: undefined }), options);
    return;
  }
  const first = await peek(socket, {
    look: (bytes): FirstBytes | undefined => {
      const seen = readFirstBytes(bytes);
      return seen.kind === 'more' ? undefined : seen;
    },
    timeoutMs: options.detectTimeoutMs,
  });
  if (first.kind === 'timeout') throw new Error('the client sent nothing that tells whether it speaks TLS');
  if (first.kind === 'ended') {
    await forwardInbound(socket, known(nobody), { ...options, head: first.head });
  } else if (first.value.kind !== 'tls') {
    await serveClient(socket, known(nobody), options);
  } else if (first.value.serverName !== options.localName) {
    const { serverName } = first.value;
    await serveClient(socket, known({ tls: { kind: 'none' }, passedThrough: { serverName } }), options);
  } else {
    const { socket: inner, tls } = await terminator.terminate(socket);
    await serveClient(inner, known({ tls, passedThrough: undefined }), options);
  }
};

const listen = async (
  server: Server,
  { listen: { host, port }, setting }: InboundOptions,
): Promise<HostPort> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    const at = printHostPort({ host, port });
    throw new GatehouseError('failed-precondition', `cannot listen on ${at} (${setting})`, { cause: error });
  }
  server.off('error', reject).on('error', () => {});
  const bound = server.address();
  return typeof bound === 'object' && bound !== null
    ? { host: bound.address, port: bound.port }
    : { host, port };
};

/** Listens on one port of the pod and enforces its newest row on every connection and request. */
export const listenInbound = async (options: InboundOptions): Promise<InboundListener> => {
  const clients = new Map<Socket, InboundClient | undefined>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    clients.set(socket, undefined);
    socket.on('error', () => socket.destroy()).once('close', () => clients.delete(socket));
    const connection = connectionId(socket, 'server');
    serveConnection(socket, options, (client) => clients.set(socket, client)).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      options.log({ event: 'inbound-refused', connection, port: options.policy.port, reason });
      socket.destroy();
    });
  });
  const address = await listen(server, options);
  return {
    address,
    get connections() {
      return [...clients.values()].filter((client) => client !== undefined);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients.keys()) socket.destroy();
      }),
  };
};
