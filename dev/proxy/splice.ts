import type { Duplex } from 'node:stream';

/**
 * Copies bytes both ways until both ends are closed. What one end has said before it closed still reaches the other;
 * an end that breaks breaks the other. `head` was read from `client` already and goes to `upstream` first.
 */
export const splice = (client: Duplex, upstream: Duplex, head?: Buffer): Promise<void> =>
  new Promise((resolve) => {
    let open = 2;
    const onClose = (end: Duplex, other: Duplex): void => {
      open -= 1;
      if (open === 0) resolve();
      else if (end.readableEnded && !other.writableFinished) other.once('finish', () => other.destroy());
      else other.destroy();
    };
    for (const [end, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      end.on('error', () => other.destroy());
      if (end.closed) onClose(end, other);
      else end.once('close', () => onClose(end, other));
    }
    if (head !== undefined && head.length > 0) upstream.write(head);
    if (client.readableEnded) upstream.end();
    else client.pipe(upstream);
    upstream.pipe(client);
  });
