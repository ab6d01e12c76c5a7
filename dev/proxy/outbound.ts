import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import type { ControlPlane } from './control-plane.ts';
import { emptyAnswer } from './http-message.ts';
import { OutboundClient } from './outbound-client.ts';
import { sendOutbound } from './outbound-request.ts';
import { readOutboundTarget, type TargetContext } from './outbound-target.ts';
import { serveTunnel } from './outbound-tunnel.ts';
import { answerHttp1, type Http1Server, http1Options } from './serve-http1.ts';
import type { TargetCache } from './target-cache.ts';

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

const advice = 'this is a forward proxy: send http://host:port/path, or CONNECT host:port';

/**
 * Listens as an HTTP proxy for the pod's applications: absolute-form requests and CONNECT. It stands in for the
 * redirection of a pod's outgoing traffic; what the target's name or address was is all that the real proxy would know too.
 */
export const listenOutbound = async (options: OutboundOptions): Promise<OutboundListener> => {
  const { plane, targets, names } = options;
  const clients = new Map<object, OutboundClient>();
  const clientOf = (message: IncomingMessage): OutboundClient => {
    const { socket } = message;
    const client = clients.get(socket) ?? new OutboundClient(socket, targets);
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
      try {
        return await sendOutbound(request, context);
      } finally {
        client.sent(target);
      }
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
