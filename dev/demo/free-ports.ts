import { createServer, type Server } from 'node:net';

/**
 * Below the range that systems give to outgoing connections (from 32768 on Linux): a port that is free now is not taken
 * by another process's connection before its owner has started, or while it is being started again.
 */
const range = { first: 12_000, last: 32_000 };
const tries = 200;

const listenAt = (port: number): Promise<Server | undefined> => {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  const server = createServer();
  server.once('error', () => resolve(undefined));
  server.listen(port, '127.0.0.1', () => resolve(server));
  return promise;
};

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/**
 * Finds TCP ports on 127.0.0.1 that are free now. They are all held until the last is found, so no two are the same;
 * another process may still take one before its owner binds it, which then fails and says so.
 */
export const findFreePorts = async (count: number): Promise<readonly number[]> => {
  const held = new Map<number, Server>();
  for (let left = tries; held.size < count && left > 0; left -= 1) {
    const port = range.first + Math.floor(Math.random() * (range.last - range.first));
    const server = held.has(port) ? undefined : await listenAt(port);
    if (server !== undefined) held.set(port, server);
  }
  await Promise.all([...held.values()].map(close));
  if (held.size < count) throw new Error(`found only ${held.size} free ports on 127.0.0.1`);
  return [...held.keys()];
};
