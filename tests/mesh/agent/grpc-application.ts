import type { Duplex } from 'node:stream';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Seen } from './messages.ts';

const asText = {
  requestSerialize: (text: string): Buffer => Buffer.from(text),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (text: string): Buffer => Buffer.from(text),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
} as const;

/** What the gRPC application offers. Messages are bare text: what is in them is nobody's business here. */
export const echoService = {
  say: { path: '/e2e.Echo/Say', requestStream: false, responseStream: false, ...asText },
  talk: { path: '/e2e.Echo/Talk', requestStream: true, responseStream: true, ...asText },
} as const satisfies ServiceDefinition;

/** Both ends ask each other often whether they are still there, so that a scenario of seconds has many such questions. */
export const keepalive = {
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
} as const;

const tickEveryMs = 100;

/** A grpc-js server for connections that somebody else accepted; every RPC and every message is handed to `see`. */
export const grpcApplication = (
  port: number,
  see: (seen: Seen) => void,
): { readonly injectConnection: (connection: Duplex) => void } => {
  const server = new Server(keepalive);
  const seen = (
    speaks: 'grpc' | 'grpc-message',
    { method, path, metadata }: { method: string; path: string; metadata: Metadata },
  ): void => {
    const headers = Object.fromEntries(
      Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]),
    );
    see({ port, at: '', speaks, method, path, headers });
  };
  server.addService(echoService, {
    say: (call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) => {
      seen('grpc', { method: 'POST', path: call.getPath(), metadata: call.metadata });
      answer(null, `echo ${call.request}`);
    },
    talk: (call: ServerDuplexStream<string, string>) => {
      const { metadata } = call;
      seen('grpc', { method: 'POST', path: call.getPath(), metadata });
      const tick = setInterval(() => call.write('tick'), tickEveryMs);
      const stop = (why: string): void => {
        clearInterval(tick);
        seen('grpc-message', { method: why, path: '', metadata });
      };
      call
        .on('data', (text: string) => {
          seen('grpc-message', { method: 'said', path: text, metadata });
          call.write(`echo ${text}`);
        })
        .on('end', () => {
          stop('ended');
          call.end();
        })
        .on('cancelled', () => stop('cancelled'))
        .on('error', () => undefined);
    },
  });
  return server.createConnectionInjector(ServerCredentials.createInsecure());
};
