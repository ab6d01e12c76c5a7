import type { Duplex } from 'node:stream';

/**
 * Copies bytes both ways until both ends have ended, or either breaks; then both are closed. `head` is what was read
 * from `client` already and goes to `upstream` first.
 */
export const splice = (client: Duplex, upstream: Duplex, head?: Buffer): Promise<void> =>
  new Promise((resolve) => {
    let open = 2;
    const broken = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const closed = (): void => {
      open -= 1;
      broken();
      if (open === 0) resolve();
    };
    for (const end of [client, upstream]) {
      end.on('error', broken);
      if (end.closed) closed();
      else end.once('close', closed);
    }
    if (head !== undefined && head.length > 0) upstream.write(head);
    if (client.readableEnded) upstream.end();
    else client.pipe(upstream);
    upstream.pipe(client);
  });
