import { EventEmitter } from 'node:events';
import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { asGatehouseError, type ErrorCode } from '@gatehouse/core/error';
import {
  Metadata,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { ConnectionPings } from './connection-pings.ts';
import { frameMessage } from './message-frames.ts';
import { grpcNumber } from './status.ts';
import { type Method, type Peer, type Status, type StreamCall, serverDrained } from './transport.ts';

/** The only file that knows what a call of @grpc/grpc-js looks like; server.ts knows its server. */

export type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

/**
 * The HTTP/2 stream under a call. grpc-js (1.14) shows no way to it, and without it a stream that nobody reads cannot be
 * reset, nor can a connection be told to go away while others stay; so this reaches for what it calls private.
 */
export const http2StreamOf = (call: AnyCall): ServerHttp2Stream => {
  const stream: unknown = Reflect.get(Object(Reflect.get(call, 'call')), 'stream');
  if (typeof stream !== 'object' || stream === null || !('rstCode' in stream) || !('session' in stream)) {
    throw new Error('this version of @grpc/grpc-js keeps the HTTP/2 stream of a call elsewhere');
  }
  return stream as ServerHttp2Stream;
};

/**
 * Has `admit` see each HTTP/2 stream of a server before grpc-js does, which sees it when and if `open` is called. An
 * interceptor of grpc-js would come too late: calls of unknown methods never reach one, and by then all is allocated.
 * Call it when the server has its connection injector.
 */
export const guardStreams = (
  server: Server,
  admit: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, open: () => void) => void,
): void => {
  const http2 = http2ServerOf(server);
  const listeners = http2.listeners('stream');
  http2.removeAllListeners('stream');
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
    admit(stream, headers, () => {
      for (const listener of listeners) listener.call(http2, stream, headers, ...rest);
    });
  });
};

/** Tells of each connection, and again when its client has shown that it speaks HTTP/2. */
export interface ConnectionListener {
  readonly opened: (session: ServerHttp2Session) => void;
  readonly speaksHttp2: (session: ServerHttp2Session) => void;
}

/** Call it when the server has its connection injector. */
export const onConnections = (server: Server, { opened, speaksHttp2 }: ConnectionListener): void => {
  http2ServerOf(server).on('session', (session: ServerHttp2Session) => {
    opened(session);
    session.once('remoteSettings', () => speaksHttp2(session));
  });
};

const http2ServerOf = (server: Server): EventEmitter => {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const [http2] = servers instanceof Map ? servers.keys() : [];
  if (!(http2 instanceof EventEmitter) || http2.listenerCount('stream') === 0) {
    throw new Error('this version of @grpc/grpc-js keeps its HTTP/2 server elsewhere');
  }
  return http2;
};

/** A view of the same bytes: encoded once, they go to every stream. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Sent in a header, so short, and well formed, since lone surrogates cannot be encoded. */
const details = (message: string): string => message.slice(0, 1_024).toWellFormed();

export const answerUnary = (
  method: Extract<Method, { kind: 'unary' }>,
  { call, peer }: { readonly call: ServerUnaryCall<Buffer, Buffer>; readonly peer: Peer },
  callback: sendUnaryData<Buffer>,
): void => {
  const abort = new AbortController();
  let answered = false;
  // grpc-js says so at the end of every call, the answered ones too.
  call.once('cancelled', () => {
    if (!answered) abort.abort();
  });
  const answer = async (): Promise<Buffer> =>
    asBuffer(await method.handle({ request: call.request, peer, signal: abort.signal }));
  answer().then(
    (bytes) => {
      answered = true;
      callback(null, bytes);
    },
    (thrown) => {
      answered = true;
      const { code, message } = asGatehouseError(thrown);
      callback({ code: grpcNumber(code), details: details(message) });
    },
  );
};

/** What the client is told when a stream must end before its bytes have left; gRPC maps these to statuses. */
const resetCode = (code: ErrorCode): number => {
  if (code === 'resource-exhausted') return constants.NGHTTP2_ENHANCE_YOUR_CALM;
  if (code === 'unavailable') return constants.NGHTTP2_REFUSED_STREAM;
  return code === 'cancelled' ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_INTERNAL_ERROR;
};

const frames = new WeakMap<Uint8Array, Buffer>();

/** The message with its frame around it, made once for all streams that are sent these bytes. */
const framed = (message: Uint8Array): Buffer => {
  let frame = frames.get(message);
  if (frame === undefined) {
    frame = frameMessage(message);
    frames.set(message, frame);
  }
  return frame;
};

export class GrpcJsStream implements StreamCall {
  readonly request: Uint8Array;
  readonly peer: Peer;
  readonly #call: ServerWritableStream<Buffer, Buffer>;
  readonly #stream: ServerHttp2Stream;
  readonly #abort = new AbortController();
  #held = 0;
  #ended = false;
  #drained = false;
  #writable: (() => void) | undefined;
  readonly #pings: ConnectionPings;

  constructor(
    call: ServerWritableStream<Buffer, Buffer>,
    { peer, pings }: { readonly peer: Peer; readonly pings: ConnectionPings },
  ) {
    this.#call = call;
    this.#pings = pings;
    this.#stream = http2StreamOf(call);
    this.request = call.request;
    this.peer = peer;
    call.once('cancelled', () => {
      this.#ended = true;
      this.#abort.abort(this.#drained ? serverDrained : undefined);
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  send(message: Uint8Array): boolean {
    if (this.#ended) return false;
    this.#held += 1;
    // Past grpc-js, which would copy the message for every stream: a set of 1,000 endpoints to 2,000 streams is 600 MB.
    if (!this.#stream.headersSent) this.#call.sendMetadata(new Metadata());
    this.#stream.write(framed(message), this.#sent);
    return false;
  }

  readonly #sent = (error?: Error | null): void => {
    this.#held -= 1;
    if (this.#held === 0 && !this.#ended && (error === undefined || error === null)) this.#writable?.();
  };

  onWritable(listener: () => void): void {
    this.#writable = listener;
  }

  onAnswered(listener: () => void): void {
    const { session } = this.#stream;
    if (session === undefined || this.#ended) return;
    this.#pings.ask(session as ServerHttp2Session, () => {
      if (!this.#ended) listener();
    });
  }

  /** Ends in good order because the server goes away. */
  drain(): void {
    this.#drained = true;
    this.end();
  }

  end(status?: Status): void {
    if (this.#ended) return;
    this.#ended = true;
    if (status === undefined) this.#call.end();
    else if (this.#held > 0) this.#stream.close(resetCode(status.code));
    else this.#call.emit('error', { code: grpcNumber(status.code), details: details(status.message) });
  }
}
