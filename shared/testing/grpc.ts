import type { TestContext } from 'node:test';
import type { GatehouseError } from '@gatehouse/core/error';
import { type ClientTls, GrpcClient } from '@gatehouse/platform/grpc/client';
import {
  type GrpcServerOptions,
  type RunningGrpcServer,
  startGrpcServer,
} from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';

/** A gRPC server on a free loopback port, plaintext unless said otherwise; it ends with the test. */
export const aGrpcServer = async (
  t: TestContext,
  options: Partial<GrpcServerOptions> & Pick<GrpcServerOptions, 'methods'>,
): Promise<RunningGrpcServer> => {
  const server = await startGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    tls: 'plaintext',
    log: silentLog,
    metrics: new Metrics('test'),
    ...options,
  });
  t.after(() => server.drain(0));
  return server;
};

export const portOf = (server: { readonly address: string }): number =>
  Number(server.address.slice(server.address.lastIndexOf(':') + 1));

/** A client of `server` as the proxy would be one; it ends with the test. */
export const aGrpcClient = (
  t: TestContext,
  server: { readonly address: string },
  security: 'plaintext' | ClientTls = 'plaintext',
): GrpcClient => {
  const client = new GrpcClient({
    address: { host: '127.0.0.1', port: portOf(server) },
    security,
    connectTimeoutMs: 10_000,
  });
  t.after(() => client.close());
  return client;
};

/** What a stream delivered so far, with promises for what it will deliver. */
export interface Received {
  readonly messages: readonly string[];
  /** Resolves with the message at `index`, rejects when the stream ends before. */
  message(index: number): Promise<string>;
  /** Resolves when the stream is over; undefined = OK. */
  readonly ended: Promise<GatehouseError | undefined>;
  cancel(): void;
}

/** Opens a stream and keeps what comes as text. */
export const receive = (client: GrpcClient, path: string, request = ''): Received => {
  const messages: string[] = [];
  const ended = Promise.withResolvers<GatehouseError | undefined>();
  let news = Promise.withResolvers<void>();
  let over = false;
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  const cancel = client.serverStream(path, Buffer.from(request), {
    onMessage: (message) => {
      messages.push(Buffer.from(message).toString());
      tell();
    },
    onEnd: (error) => {
      over = true;
      ended.resolve(error);
      tell();
    },
  });
  const message = async (index: number): Promise<string> => {
    for (;;) {
      const found = messages[index];
      if (found !== undefined) return found;
      if (over) throw new Error(`the stream ended after ${messages.length} messages`);
      await news.promise;
    }
  };
  return { messages, message, ended: ended.promise, cancel };
};

/** Generous, since other work on the machine can slow everything tenfold. */
const patientMs = 120_000;

/** Resolves once `holds` does. Ends by itself, because a loop that outlives its test keeps the whole file from ending. */
export const eventually = async (
  holds: () => boolean | Promise<boolean>,
  withinMs = patientMs,
): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain until ${holds}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 5);
    await promise;
  }
};
