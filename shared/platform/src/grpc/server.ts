import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type HostPort, printHostPort } from '@gatehouse/core/host-port';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogger,
} from '@grpc/grpc-js';
import { limitedLog } from '../log/limited-log.ts';
import type { Log } from '../log/log.ts';
import { StrangerLog } from '../log/stranger-log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { clientOf } from '../tls/client-of.ts';
import type { TlsMaterial } from '../tls/material.ts';
import type { AcceptLimits } from '../tls/tls-acceptor.ts';
import { Acceptor } from './acceptor.ts';
import { callMetrics, observe } from './call.ts';
import { CallGuard } from './call-guard.ts';
import { ConnectionPings } from './connection-pings.ts';
import {
  type AnyCall,
  answerUnary,
  GrpcJsStream,
  guardStreams,
  http2StreamOf,
  onConnections,
} from './grpc-js-calls.ts';
import { peerOf } from './peer.ts';
import { type ServerLimits, usualLimits } from './server-limits.ts';
import { type ConnectionEnd, callRefusals, connectionRefusals, measureServer } from './server-metrics.ts';
import type { GrpcServer, Method, Methods, Peer } from './transport.ts';

export interface GrpcServerOptions {
  readonly address: HostPort;
  /** The variable that the address came from, named when it cannot be listened on. */
  readonly setting?: string;
  /** Plaintext is refused beyond loopback. Without material, nobody is let in until `replaceTlsMaterial`. */
  readonly tls: 'plaintext' | { readonly material?: TlsMaterial };
  readonly methods: Methods;
  readonly log: Log;
  readonly metrics: Metrics;
  /** A larger request is answered ResourceExhausted. */
  readonly maxRequestBytes?: number;
  readonly unaryDeadlineMs?: number;
  /** How often a connection is asked whether it lives, and how long it may take to answer; proxies never ask. */
  readonly ping?: { readonly everyMs: number; readonly withinMs: number };
  /** Differences from the usual. */
  readonly acceptLimits?: Partial<AcceptLimits>;
  readonly limits?: Partial<ServerLimits>;
}

export interface RunningGrpcServer extends GrpcServer {
  /** What handshakes from now on show and believe; open streams are not touched. */
  replaceTlsMaterial(material: TlsMaterial): void;
}

/** Above the largest request that is allowed anywhere: a token of 16 KiB, a signing request of 8 KiB and an identity. */
const defaultMaxRequestBytes = 32 * 1024;

/** Serves the methods, counted and logged by `observe`. Rejects when the address cannot be listened on. */
export const startGrpcServer = async (options: GrpcServerOptions): Promise<RunningGrpcServer> => {
  const server = new GrpcJsServer(options);
  await server.listen();
  return server;
};

/** One HTTP/2 connection that has carried a call. */
interface Connection {
  readonly peer: Peer;
  readonly streams: Set<GrpcJsStream>;
}

interface Callless {
  readonly socket: Socket;
  /** Whether the client has sent its HTTP/2 settings. */
  speaksHttp2: boolean;
}

class GrpcJsServer implements RunningGrpcServer {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #acceptor: Acceptor;
  readonly #guard: CallGuard;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  /** Connections that have not carried a call yet, by the client's address. */
  readonly #callless = new Map<string, Callless>();
  readonly #refused: (reason: ConnectionEnd, error: Error | undefined, client: string) => void;
  readonly #strangers: StrangerLog;
  readonly #pings = new ConnectionPings();
  #streams = 0;
  #bound: HostPort | undefined;

  constructor(options: GrpcServerOptions) {
    const { log, metrics, tls, ping = { everyMs: 30_000, withinMs: 10_000 } } = options;
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': options.maxRequestBytes ?? defaultMaxRequestBytes,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': ping.everyMs,
      'grpc.keepalive_timeout_ms': ping.withinMs,
    });
    const { unaryDeadlineMs } = options;
    this.#strangers = new StrangerLog({ log, metrics });
    const methods = observe(options.methods, {
      strangers: this.#strangers,
      metrics: callMetrics(metrics),
      ...(unaryDeadlineMs === undefined ? {} : { unaryDeadlineMs }),
    });
    for (const [path, method] of Object.entries(methods)) this.#register(path, method);
    // TLS ends in the acceptor, so to grpc-js every connection is plaintext.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const limits = { ...usualLimits(), ...options.limits };
    this.#guard = new CallGuard(limits, callRefusals(this.#strangers, metrics));
    guardStreams(this.#server, (stream, headers, open) => this.#guard.admit(stream, headers, open));
    onConnections(this.#server, {
      opened: (session) => this.#guard.connected(session),
      speaksHttp2: ({ socket }) => {
        const callless = this.#callless.get(clientOf(socket));
        if (callless !== undefined) callless.speaksHttp2 = true;
      },
    });
    this.#refused = connectionRefusals(this.#strangers, metrics);
    quietGrpcJs(log);
    this.#acceptor = new Acceptor({
      address: options.address,
      setting: options.setting ?? 'the gRPC address',
      tls,
      maxConnections: limits.connections,
      ...(options.acceptLimits === undefined ? {} : { acceptLimits: options.acceptLimits }),
      onConnection: (socket) => this.#serve(socket),
      onRefused: this.#refused,
    });
    measureServer(metrics, { acceptor: this.#acceptor, guard: this.#guard, limits });
  }

  async listen(): Promise<void> {
    this.#bound = await this.#acceptor.listen();
  }

  get address(): string {
    return this.#bound === undefined ? '' : printHostPort(this.#bound);
  }

  get connections(): number {
    return this.#acceptor.connections;
  }

  get streams(): number {
    return this.#streams;
  }

  replaceTlsMaterial(material: TlsMaterial): void {
    this.#acceptor.replaceTlsMaterial(material);
  }

  async drain(deadlineMs: number): Promise<void> {
    const late = AbortSignal.timeout(deadlineMs);
    this.#acceptor.stopListening();
    await this.#sendAway(deadlineMs / 2, late);
    // What is left has no streams; each is told to go away.
    this.#injector.destroy();
    await this.#acceptor.idle(late);
    await this.#acceptor.destroyConnections();
    this.#guard.close();
    this.#server.forceShutdown();
    this.#pings.close();
    this.#strangers.end();
  }

  /**
   * Connection by connection: GOAWAY first, since a stream that ends on a connection that goes on is opened again at once
   * (contract/proxy.md §0 row 14). Spread over `withinMs`, so that not all clients arrive at the next replica in one instant.
   */
  async #sendAway(withinMs: number, late: AbortSignal): Promise<void> {
    const stepMs = 20;
    const perStep = Math.max(20, Math.ceil((this.#connections.size * stepMs) / withinMs));
    while (this.#connections.size > 0 && !late.aborted) {
      const batch = [...this.#connections].slice(0, perStep);
      for (const [session, { streams }] of batch) {
        this.#connections.delete(session);
        session.close();
        for (const stream of streams) stream.drain();
      }
      if (this.#connections.size > 0) await delay(stepMs);
    }
  }

  #serve(socket: Socket): void {
    const client = clientOf(socket);
    const callless: Callless = { socket, speaksHttp2: false };
    this.#callless.set(client, callless);
    socket.once('close', () => {
      if (this.#callless.get(client) !== callless) return;
      this.#callless.delete(client);
      // Without bytes it was a probe, or a client that changed its mind.
      if (socket.bytesRead > 0) this.#refused(callless.speaksHttp2 ? 'unused' : 'no-call', undefined, client);
    });
    this.#injector.injectConnection(socket);
  }

  #register(path: string, method: Method): void {
    const pass = (bytes: Buffer): Buffer => bytes;
    switch (method.kind) {
      case 'unary':
        this.#server.register<Buffer, Buffer>(
          path,
          (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
            answerUnary(method, { call, peer: this.#arrived(call).peer }, callback),
          pass,
          pass,
          'unary',
        );
        return;
      case 'server-stream':
        this.#server.register<Buffer, Buffer>(
          path,
          (call: ServerWritableStream<Buffer, Buffer>) => this.#open(method, call),
          pass,
          pass,
          'serverStream',
        );
    }
  }

  #open(
    method: Extract<Method, { kind: 'server-stream' }>,
    call: ServerWritableStream<Buffer, Buffer>,
  ): void {
    const { peer, streams } = this.#arrived(call);
    const stream = new GrpcJsStream(call, { peer, pings: this.#pings });
    streams.add(stream);
    this.#streams += 1;
    stream.signal.addEventListener(
      'abort',
      () => {
        streams.delete(stream);
        this.#streams -= 1;
      },
      { once: true },
    );
    method.open(stream);
  }

  /** The connection of a call whose request has come whole. */
  #arrived(call: AnyCall): Connection {
    const stream = http2StreamOf(call);
    this.#guard.arrived(stream);
    const session = stream.session as ServerHttp2Session;
    const known = this.#connections.get(session);
    if (known !== undefined) return known;
    const connection: Connection = { peer: peerOf(session.socket), streams: new Set() };
    this.#callless.delete(clientOf(session.socket));
    this.#connections.set(session, connection);
    session.once('close', () => this.#connections.delete(session));
    return connection;
  }
}

/** grpc-js writes to standard error by itself, also what a stranger makes it say; it has one logger for the whole process. */
const quietGrpcJs = (log: Log): void => {
  const say = limitedLog((fields, message) => log.warn(fields, message));
  const line = (...parts: unknown[]): void => say({}, `grpc-js: ${parts.join(' ')}`);
  setLogger({ error: line, info: line, debug: line });
};
