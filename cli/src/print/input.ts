import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import type { Input } from '../cli.ts';

/** stdin as a command sees it: not opened, so that no process waits for it, until a command asks. */
export const openInput = (stdin: () => Readable): Input => ({
  isTty: isatty(0),
  read: async (most) => {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of stdin()) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) break;
    }
    return Buffer.concat(chunks);
  },
});
