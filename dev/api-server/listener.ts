import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { cannotListen } from '@gatehouse/platform/process/listen-error';
import type { Forwarding } from './forward-port.ts';

/** Key and certificate chain, as PEM. */
export interface ServerTls {
  readonly key: string;
  readonly cert: string;
}

export interface Listener {
  readonly port: number;
  /** Ends every connection and gives the port back. */
  close(): Promise<void>;
}

/**
 * How long a connection waits for its next request, as kube-apiserver has it. Node's 5 s are so short that a client on a
 * busy machine writes to connections that are being closed.
 */
const idleMs = 90_000;

/** Listens on loopback; port 0 takes a free one. */
export const listen = async (
  {
    handle,
    upgrade,
  }: { readonly handle: RequestListener; readonly upgrade: (forwarding: Forwarding) => void },
  { port, tls }: { readonly port: number; readonly tls: ServerTls | undefined },
): Promise<Listener> => {
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  server.keepAliveTimeout = idleMs;
  // Node forgets the socket of a request that has left HTTP.
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (incoming, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    upgrade({ incoming, socket, head });
  });
  const listening = Promise.withResolvers<void>();
  const address = { host: '127.0.0.1', port };
  server.once('error', (cause) => listening.reject(cannotListen('--port', address, cause)));
  server.listen(address, listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      return promise;
    },
  };
};
