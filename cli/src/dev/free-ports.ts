import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds TCP ports on 127.0.0.1 that are free now. They are all held until the last is found, so no two are the same;
 * somebody else may still take one before it is used, and whoever binds it then says so.
 */
export const findFreePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
};
