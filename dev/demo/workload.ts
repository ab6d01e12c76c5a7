import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { printHostPort } from '@gatehouse/core/host-port';

/** What the demo's application answers: what reached it, so that a reader sees what its proxy let through and added. */
export interface WorkloadAnswer {
  readonly workload: string;
  readonly method: string;
  /** As received: no proxy on the way normalised it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** TCP connections that this application has accepted so far, over all its ports. */
  readonly connections: number;
  /** Requests that this application has answered so far, this one included. */
  readonly requests: number;
}

export interface WorkloadOptions {
  readonly name: string;
  /** Where to listen, such as 127.0.0.1:0 for any free port: only the pod's proxy should reach it. */
  readonly listen: readonly { readonly host: string; readonly port: number }[];
}

export interface Workload {
  /** `host:port` as bound, in the order of `listen`. */
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

/** Starts a small HTTP application that answers every request with what it saw, as JSON. */
export const startWorkload = async ({ name, listen }: WorkloadOptions): Promise<Workload> => {
  let [connections, requests] = [0, 0];
  const answer = (message: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    message.resume();
    const { method = '', url = '', headers } = message;
    const body: WorkloadAnswer = { workload: name, method, path: url, headers, connections, requests };
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  const start = async ({ host, port }: { host: string; port: number }) => {
    // No keep-alive timeout: the proxy's connections are meant to last for the whole story.
    const server = createServer({ keepAliveTimeout: 0 }, answer).on('connection', () => {
      connections += 1;
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(port, host, resolve);
    await promise;
    return server;
  };
  const started = await Promise.allSettled(listen.map(start));
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const addresses = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null
      ? printHostPort({ host: address.address, port: address.port })
      : '';
  });
  return { addresses, stop };
};
