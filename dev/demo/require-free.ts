import { once } from 'node:events';
import { createServer } from 'node:net';
import { GatehouseError } from '@gatehouse/core/error';

/**
 * Passes if a pod's port can be listened on. A pod's address follows from its name alone, so two demos on one machine
 * want the same ones; without this the second would tell of a proxy that did not start. Throws `failed-precondition`.
 */
export const requireFree = async (host: string, port: number): Promise<void> => {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw cause;
    throw new GatehouseError(
      'failed-precondition',
      `${host}:${port} is in use: another demo, or its test, runs on this machine, and its pods have the same addresses; end it first`,
      { cause },
    );
  }
  server.close();
  await once(server, 'close');
};
