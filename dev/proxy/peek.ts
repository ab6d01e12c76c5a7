import type { Duplex } from 'node:stream';

/** The outcome of looking at a connection's first bytes without taking them. */
export type Peeked<T> =
  | { readonly kind: 'seen'; readonly value: T }
  | { readonly kind: 'timeout' }
  /** The client sent no more than `head`; these bytes can no longer be put back. */
  | { readonly kind: 'ended'; readonly head: Buffer };

export interface PeekOptions<T> {
  /** Called with all bytes so far; undefined = more are needed. It must decide after a bounded number of bytes. */
  readonly look: (bytes: Buffer) => T | undefined;
  readonly timeoutMs: number;
}

/** Looks at the first bytes of a connection and leaves them in it: the next reader sees them again. */
export const peek = <T>(socket: Duplex, { look, timeoutMs }: PeekOptions<T>): Promise<Peeked<T>> =>
  new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const finish = (outcome: Peeked<T>): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      if (outcome.kind !== 'ended' && seen.length > 0) socket.unshift(seen);
      resolve(outcome);
    };
    const onReadable = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = Buffer.concat([seen, chunk]);
      const value = look(seen);
      if (value !== undefined) finish({ kind: 'seen', value });
    };
    const onEnd = (): void => finish({ kind: 'ended', head: seen });
    const timer = setTimeout(() => finish({ kind: 'timeout' }), timeoutMs);
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
    if (socket.destroyed || socket.readableEnded) onEnd();
  });
