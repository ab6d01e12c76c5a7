import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { FairPlaces } from '../limits/fair-places.ts';
import { holderOf } from '../limits/holder.ts';
import { TimeSlices } from '../limits/time-slices.ts';
import { addressOf, clientOf } from '../tls/client-of.ts';
import { grpcNumber } from './status.ts';

/** Bounds for calls, streams and unary ones alike. Beyond a bound a call is refused; the process never is in danger. */
export interface CallLimits {
  /** Open at once on one connection. */
  readonly perConnection: number;
  /** Open at once from one address, or one /64 of IPv6. */
  readonly perAddress: number;
  /** Open at once in all; when there are more, the address that has most of them gives up its oldest to others. */
  readonly all: number;
  /** Calls whose requests have not come whole. */
  readonly arriving: number;
  /** How long a request may take from its first header to its last byte, in milliseconds. */
  readonly arrivalMs: number;
  /** Names and values of a call's headers together. */
  readonly headerBytes: number;
  /** Refusals that have not reached their clients; when there are more, the address that has most of them loses a connection. */
  readonly unheard: number;
}

/** Why a call was refused, or ended before its handler had ended it. */
export type CallRefusal =
  | 'connection'
  | 'address'
  | 'all'
  | 'made-room'
  | 'arriving'
  | 'arrival-timeout'
  | 'headers'
  | 'unheard';

const messages = {
  connection: 'too many calls are open on this connection',
  address: 'too many calls are open from this address',
  all: 'too many calls are open: try again later',
  headers: 'the headers are too large',
} as const satisfies Partial<Record<CallRefusal, string>>;

/** How long one turn of the event loop may take in calls, in milliseconds: thousands come at once when proxies reconnect. */
const sliceMs = 5;
const atOnce = 16;

interface Admitted {
  readonly stream: ServerHttp2Stream;
  readonly holder: string;
  readonly open: () => void;
}

interface Connection {
  readonly holder: string;
  readonly client: string;
  calls: number;
}

/**
 * Decides about each HTTP/2 stream before anything else sees it. A limit on streams that the server announces would be the
 * usual way, but clients keep what exceeds it to themselves: a proxy's watch would hang and nobody would know
 * (docs/decisions/0019). Here the caller gets ResourceExhausted, and a counter tells the operator. What is admitted is opened
 * in slices, so that a mass reconnect keeps no other stream waiting.
 */
export class CallGuard {
  readonly #limits: CallLimits;
  readonly #onRefused: (reason: CallRefusal, client: string) => void;
  readonly #connections = new WeakMap<ServerHttp2Session, Connection>();
  readonly #calls: FairPlaces<ServerHttp2Stream>;
  readonly #arriving: FairPlaces<ServerHttp2Stream>;
  readonly #unheard: FairPlaces<ServerHttp2Stream>;
  readonly #slices = new TimeSlices<Admitted>({
    sliceMs,
    atOnce,
    work: (call) => this.#begin(call),
  });
  readonly #timers = new Map<ServerHttp2Stream, NodeJS.Timeout>();

  constructor(limits: CallLimits, onRefused: (reason: CallRefusal, client: string) => void) {
    this.#limits = limits;
    this.#onRefused = onRefused;
    this.#calls = new FairPlaces({
      max: limits.all,
      maxEach: limits.perAddress,
      beyondShare: 'refuse',
      evict: (stream) => this.#cut(stream, 'made-room'),
    });
    this.#arriving = new FairPlaces({
      max: limits.arriving,
      beyondShare: 'replace-oldest',
      evict: (stream) => this.#cut(stream, 'arriving'),
    });
    this.#unheard = new FairPlaces({
      max: limits.unheard,
      beyondShare: 'refuse',
      evict: (stream) => this.#hangUp(stream),
    });
  }

  /** Calls that are open, their requests whole or not. */
  get open(): number {
    return this.#calls.size;
  }

  /** Calls that wait for their turn, because very many came at once. */
  get waiting(): number {
    return this.#slices.waiting;
  }

  /** A connection is there and may carry calls. Whose it is is looked up now, while connections come one by one. */
  connected(session: ServerHttp2Session): void {
    this.#connectionOf(session);
  }

  /** Calls `open` when the call is admitted and its turn has come, as a rule at once. Otherwise the call is over. */
  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, open: () => void): void {
    const { session } = stream;
    if (session === undefined || stream.destroyed) return;
    const connection = this.#connectionOf(session as ServerHttp2Session);
    const { holder } = connection;
    const call: Admitted = { stream, holder, open };
    connection.calls += 1;
    stream.once('close', () => {
      connection.calls -= 1;
      this.#calls.leave(stream);
      this.#slices.leave(call);
      this.arrived(stream);
    });
    const excess = this.#excessOf(stream, connection, headers);
    if (excess !== undefined) {
      this.#refuse(stream, connection, excess);
      return;
    }
    // Nobody else listens to a stream that waits, and it may end meanwhile.
    if (!this.#slices.enter(call, holder)) stream.on('error', ignore);
  }

  /** The request has come whole; from now on the call is its handler's to end. */
  arrived(stream: ServerHttp2Stream): void {
    clearTimeout(this.#timers.get(stream));
    this.#timers.delete(stream);
    this.#arriving.leave(stream);
  }

  /** No call waits any longer. */
  close(): void {
    this.#slices.close();
  }

  /** The time that a request may take begins here: what came before was ours, and Node reads nothing of it until then. */
  #begin({ stream, holder, open }: Admitted): void {
    if (stream.destroyed) return;
    this.#arriving.take(stream, holder);
    this.#timers.set(
      stream,
      setTimeout(() => this.#cut(stream, 'arrival-timeout'), this.#limits.arrivalMs),
    );
    open();
  }

  /** The bound that a call exceeds; without one it has taken its place. */
  #excessOf(
    stream: ServerHttp2Stream,
    { calls, holder }: Connection,
    headers: IncomingHttpHeaders,
  ): keyof typeof messages | undefined {
    const { perConnection, headerBytes, perAddress } = this.#limits;
    if (calls > perConnection) return 'connection';
    if (sizeOf(headers) > headerBytes) return 'headers';
    if (this.#calls.take(stream, holder)) return undefined;
    return this.#calls.weightOf(holder) >= perAddress ? 'address' : 'all';
  }

  #refuse(stream: ServerHttp2Stream, connection: Connection, reason: keyof typeof messages): void {
    // grpc-js listens for errors on what it sees, and this it will not see.
    stream.on('error', ignore);
    this.#onRefused(reason, connection.client);
    if (!this.#unheard.take(stream, connection.holder)) {
      this.#hangUp(stream);
      return;
    }
    stream.once('close', () => this.#unheard.leave(stream));
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': grpcNumber('resource-exhausted'),
        'grpc-message': messages[reason],
      },
      { endStream: true },
    );
    // What is still to come of the request is of no use (RFC 9113 §8.1); at once, this would overtake the answer.
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #hangUp(stream: ServerHttp2Stream): void {
    const { session } = stream;
    if (session === undefined) return;
    this.#onRefused('unheard', this.#connections.get(session as ServerHttp2Session)?.client ?? '');
    session.destroy(new Error('the client takes no notice of refusals'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Ends a call that was admitted: clients take this code for ResourceExhausted. */
  #cut(stream: ServerHttp2Stream, reason: CallRefusal): void {
    const { session } = stream;
    const client = session && this.#connections.get(session as ServerHttp2Session)?.client;
    this.#onRefused(reason, client ?? '');
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #connectionOf(session: ServerHttp2Session): Connection {
    const known = this.#connections.get(session);
    if (known !== undefined) return known;
    const connection: Connection = {
      holder: holderOf(addressOf(session.socket)),
      client: clientOf(session.socket),
      calls: 0,
    };
    this.#connections.set(session, connection);
    return connection;
  }
}

const ignore = (): void => {};

const sizeOf = (headers: IncomingHttpHeaders): number => {
  let bytes = 0;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    bytes += name.length + (typeof value === 'string' ? value.length : (value?.join('').length ?? 0));
  }
  return bytes;
};
