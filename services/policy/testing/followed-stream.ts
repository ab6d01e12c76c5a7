import type { GatehouseError } from '@gatehouse/core/error';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';

/** A stream's messages as they come, decoded. */
export interface Followed<T> {
  readonly messages: readonly T[];
  /** Resolves with the message at `index`, rejects when the stream ends before. */
  message(index: number): Promise<T>;
  /** Resolves when the stream is over; undefined = OK. */
  readonly ended: Promise<GatehouseError | undefined>;
  cancel(): void;
}

export const follow = <T>(
  client: GrpcClient,
  path: string,
  { request, decode }: { readonly request: Uint8Array; readonly decode: (bytes: Uint8Array) => T },
): Followed<T> => {
  const messages: T[] = [];
  const ended = Promise.withResolvers<GatehouseError | undefined>();
  const waiting = new Map<number, PromiseWithResolvers<T>>();
  const cancel = client.serverStream(path, request, {
    onMessage: (bytes) => {
      const message = decode(bytes);
      messages.push(message);
      waiting.get(messages.length - 1)?.resolve(message);
    },
    onEnd: (error) => {
      ended.resolve(error);
      for (const { reject } of waiting.values()) {
        reject(error ?? new Error(`the stream ended after ${messages.length} messages`));
      }
    },
  });
  return {
    messages,
    message: (index) => {
      const known = messages[index];
      if (known !== undefined) return Promise.resolve(known);
      const waiter = waiting.get(index) ?? Promise.withResolvers<T>();
      waiting.set(index, waiter);
      return waiter.promise;
    },
    ended: ended.promise,
    cancel,
  };
};
