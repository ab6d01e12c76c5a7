import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

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

/** Listens on loopback; port 0 takes a free one. */
export const listen = async (
  handle: RequestListener,
  { port, tls }: { readonly port: number; readonly tls: ServerTls | undefined },
): Promise<Listener> => {
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(port, '127.0.0.1', listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      return promise;
    },
  };
};
