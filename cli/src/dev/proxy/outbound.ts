import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type HostPort, printHostPort } from '@gatehouse/shared/core/host-port';
import { GatehouseError } from '@gatehouse/shared/error';
import { connectionId } from './connection-id.ts';
import type { ControlPlane } from './control-plane.ts';
import { printTarget } from './discovery.ts';
import { emptyAnswer, type HttpHandler } from './http-message.ts';
import { detectHttp } from './http-preface.ts';
import { findWay, mayDetect, sendOutbound } from './outbound-request.ts';
import { type OutboundTarget, readOutboundTarget, type TargetContext } from './outbound-target.ts';
import { peek } from './peek.ts';
import { answerHttp1, type Http1Server, http1Options } from './serve-http1.ts';
import { serveHttp2 } from './serve-http2.ts';
import { splice } from './splice.ts';
import type { Lease, TargetCache } from './target-cache.ts';

export interface OutboundOptions {
  readonly listen: HostPort;
  readonly plane: ControlPlane;
  readonly targets: TargetCache;
  readonly names: TargetContext;
  readonly http1: Http1Server;
}

export interface OutboundListener {
  /** As bound. */
  readonly address: HostPort;
  /** The applications' connections that are open now, named as in connection-id.ts. */
  readonly connections: readonly string[];
  close(): Promise<void>;
}

const detectTimeoutMs = 10_000;

/** What an application's connection holds: a lease for each target it went to, for as long as it is open. */
class Client {
  readonly connection: string;
  readonly gone = new AbortController();
  readonly #targets: TargetCache;
  readonly #leases = new Map<string, Lease>();

  constructor(socket: Socket, targets: TargetCache) {
    this.connection = connectionId(socket, 'server');
    this.#targets = targets;
    socket.once('close', () => {
      this.gone.abort();
      for (const lease of this.#leases.values()) lease.release();
    });
  }

  lease(target: OutboundTarget): Lease {
    const key = printTarget(target);
    const lease = this.#leases.get(key) ?? this.#targets.acquire(target);
    this.#leases.set(key, lease);
    return lease;
  }
}

const advice = 'this is a forward proxy: send http://host:port/path, or CONNECT host:port';

/** Serves what comes out of a CONNECT tunnel: HTTP by requests, anything else raw. */
const serveTunnel = async (
  socket: Duplex,
  {
    client,
    target,
    options,
  }: { readonly client: Client; readonly target: OutboundTarget; readonly options: OutboundOptions },
): Promise<void> => {
  const { plane, http1 } = options;
  const lease = client.lease(target);
  const context = { plane, target, lease, connection: client.connection };
  const handler: HttpHandler = (request) => sendOutbound(request, context);
  const { signal } = client.gone;
  let head: Buffer | undefined;
  if (await mayDetect(lease, signal)) {
    const seen = await peek(socket, {
      look: (bytes) => {
        const found = detectHttp(bytes);
        return found === 'more' ? undefined : found;
      },
      timeoutMs: detectTimeoutMs,
    });
    if (seen.kind === 'seen' && seen.value === 'http1') return http1.serve(socket, handler);
    if (seen.kind === 'seen' && seen.value === 'http2') return void serveHttp2(socket, handler);
    if (seen.kind === 'ended') head = seen.head;
  }
  const tell = (outcome: { upstream?: string; identity?: string | undefined; reason?: string }): void =>
    plane.log({
      event: 'outbound-tcp',
      connection: client.connection,
      upstream: outcome.upstream,
      target: printTarget(target),
      identity: outcome.identity,
      reason: outcome.reason,
    });
  try {
    const way = await findWay({ kind: 'tcp' }, context, signal);
    if (way.kind === 'refuse') throw new Error(way.reason);
    const balancer = lease.balancer(way.kind === 'balance' ? way : { endpoint: way.endpoint });
    const { upstream, opened } = await balancer.use(async (upstream) => ({
      upstream,
      opened: await upstream.connect(),
    }));
    tell({ upstream: opened.connection, identity: upstream.endpoint.identity?.name });
    await splice(socket, opened.socket, head);
  } catch (error) {
    tell({ reason: error instanceof Error ? error.message : String(error) });
    socket.destroy();
  }
};

/**
 * Listens as an HTTP proxy for the pod's applications: absolute-form requests and CONNECT. It stands in for the
 * redirection of a pod's outgoing traffic; what the target's name or address was is all that the real proxy would know too.
 */
export const listenOutbound = async (options: OutboundOptions): Promise<OutboundListener> => {
  const { plane, targets, names } = options;
  const clients = new Map<object, Client>();
  const clientOf = (message: IncomingMessage): Client => {
    const { socket } = message;
    const client = clients.get(socket) ?? new Client(socket, targets);
    clients.set(socket, client);
    return client;
  };
  const server = createServer(http1Options, (message, response) => {
    const client = clientOf(message);
    const absolute = /^http:\/\//i.test(message.url ?? '');
    void answerHttp1(message, response, async (request) => {
      const target = absolute ? readOutboundTarget(request.authority ?? '', names) : undefined;
      if (target === undefined) return emptyAnswer(400, [['l5d-proxy-error', advice]]);
      const context = { plane, target, lease: client.lease(target), connection: client.connection };
      return await sendOutbound(request, context);
    });
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket
      .on('error', () => socket.destroy())
      .once('close', () => {
        sockets.delete(socket);
        clients.delete(socket);
      });
  });
  server.on('connect', (message, socket, head) => {
    const target = readOutboundTarget(message.url ?? '', names);
    if (target === undefined) {
      socket.end(`HTTP/1.1 400 Bad Request\r\nl5d-proxy-error: ${advice}\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    serveTunnel(socket, { client: clientOf(message), target, options }).catch(() => socket.destroy());
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(options.listen.port, options.listen.host, resolve);
  try {
    await promise;
  } catch (cause) {
    const at = printHostPort(options.listen);
    throw new GatehouseError('failed-precondition', `cannot listen on ${at} (GATEHOUSE_DEV_HTTP_PROXY)`, {
      cause,
    });
  }
  const bound = server.address();
  return {
    address:
      typeof bound === 'object' && bound !== null
        ? { host: bound.address, port: bound.port }
        : options.listen,
    get connections() {
      return [...clients.values()].map(({ connection }) => connection);
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
