import { asGatehouseError, type ErrorCode, GatehouseError } from '@gatehouse/core/error';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { Log } from '../log/log.ts';
import type { StrangerLog } from '../log/stranger-log.ts';
import type { Counter, Gauge, Histogram, Metrics } from '../metrics/metrics.ts';
import { within } from '../process/within.ts';
import { grpcName } from './status.ts';
import {
  type Method,
  type Methods,
  type Peer,
  type Status,
  type StreamCall,
  serverDrained,
  type UnaryCall,
} from './transport.ts';

type MethodLabel = 'grpc_service' | 'grpc_method' | 'grpc_type';

/** The usual names, so that dashboards made for other gRPC servers work. */
export interface CallMetrics {
  readonly started: Counter<MethodLabel>;
  readonly handled: Counter<MethodLabel | 'grpc_code'>;
  readonly seconds: Histogram<MethodLabel>;
  readonly streams: Gauge<'grpc_service' | 'grpc_method'>;
}

export const callMetrics = (metrics: Metrics): CallMetrics => ({
  started: metrics.counter({
    name: 'grpc_server_started_total',
    help: 'Calls that began, by method.',
    labelNames: ['grpc_service', 'grpc_method', 'grpc_type'],
  }),
  handled: metrics.counter({
    name: 'grpc_server_handled_total',
    help: 'Calls that ended, by method and status.',
    labelNames: ['grpc_service', 'grpc_method', 'grpc_type', 'grpc_code'],
  }),
  seconds: metrics.histogram({
    name: 'grpc_server_handling_seconds',
    help: 'How long calls took; for streams, how long they were open.',
    labelNames: ['grpc_service', 'grpc_method', 'grpc_type'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600],
  }),
  streams: metrics.gauge({
    name: 'grpc_server_streams',
    help: 'Streams that are open now, by method.',
    labelNames: ['grpc_service', 'grpc_method'],
  }),
});

export interface ObserveOptions {
  readonly strangers: Pick<StrangerLog, 'say'>;
  readonly metrics: CallMetrics;
  /** How long a unary call may take, whatever the client allows; default: as long as it wants. */
  readonly unaryDeadlineMs?: number;
}

/**
 * The one wrapper around every method: counts and times calls, turns whatever is thrown into a GatehouseError, keeps the
 * deadline, and logs failed calls, a line each within what a client may cause. Handlers mention none of it.
 */
export const observe = (methods: Methods, options: ObserveOptions): Methods =>
  Object.fromEntries(
    Object.entries(methods).map(([path, method]) => [path, observeOne(path, method, options)]),
  );

const observeOne = (path: string, method: Method, options: ObserveOptions): Method => {
  const [, service = '', name = ''] = path.split('/');
  const labels = (type: string) => ({ grpc_service: service, grpc_method: name, grpc_type: type });
  const { usual } = method;
  switch (method.kind) {
    case 'unary': {
      const unary = labels('unary');
      return {
        kind: 'unary',
        handle: async (call) => {
          const record = new CallRecord(unary, options, usual);
          try {
            const answer = await withDeadline((inner) => method.handle(inner), call, options.unaryDeadlineMs);
            record.end(undefined, call.peer);
            return answer;
          } catch (thrown) {
            const error = call.signal.aborted ? cancelled(thrown) : asGatehouseError(thrown);
            record.end(error, call.peer);
            throw error;
          }
        },
      };
    }
    case 'server-stream': {
      const stream = labels('server_stream');
      return {
        kind: 'server-stream',
        open: (call) => {
          const observed = new ObservedStream(call, new CallRecord(stream, options, usual), options.metrics);
          try {
            method.open(observed);
          } catch (thrown) {
            const error = asGatehouseError(thrown);
            observed.fail(error);
          }
        },
      };
    }
  }
};

const cancelled = (cause: unknown): GatehouseError =>
  new GatehouseError('cancelled', 'the client gave up', { cause });

/** One call from its start to its end, which is counted once. */
class CallRecord {
  readonly #labels: Record<MethodLabel, string>;
  readonly #options: ObserveOptions;
  readonly #usual: ErrorCode | undefined;
  readonly #startedAt = performance.now();
  #ended = false;

  constructor(labels: Record<MethodLabel, string>, options: ObserveOptions, usual: ErrorCode | undefined) {
    this.#usual = usual;
    this.#labels = labels;
    this.#options = options;
    options.metrics.started.inc(labels);
  }

  get labels(): Record<MethodLabel, string> {
    return this.#labels;
  }

  end(failure: Failure | undefined, peer: Peer): void {
    if (this.#ended) return;
    this.#ended = true;
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    this.#options.metrics.seconds.observe(this.#labels, seconds);
    this.#options.metrics.handled.inc({ ...this.#labels, grpc_code: grpcName(failure?.code) });
    if (failure === undefined) return;
    const { code, message } = failure;
    const { grpc_service, grpc_method } = this.#labels;
    this.#options.strangers.say(
      code === this.#usual ? 'debug' : levels[code],
      {
        method: `${grpc_service}/${grpc_method}`,
        code,
        seconds,
        client: peer.address,
        ...(peer.identity === undefined ? {} : { identity: printIdentity(peer.identity) }),
        ...(failure instanceof GatehouseError ? { details: failure.details, err: failure.cause } : {}),
      },
      message,
    );
  }
}

type Failure = Status | GatehouseError;

/** What needs an operator's attention is a warning, our own fault an error; clients that merely left are not worth a line. */
const levels = {
  'invalid-argument': 'info',
  'failed-precondition': 'info',
  'not-found': 'info',
  'already-exists': 'info',
  unauthenticated: 'info',
  'permission-denied': 'info',
  'resource-exhausted': 'warn',
  unimplemented: 'info',
  unavailable: 'warn',
  cancelled: 'debug',
  'deadline-exceeded': 'warn',
  internal: 'error',
} as const satisfies Record<ErrorCode, keyof Log>;

/** A stream as its handler sees it; how it ends is written down on the way. */
class ObservedStream implements StreamCall {
  readonly #call: StreamCall;
  readonly #record: CallRecord;

  constructor(call: StreamCall, record: CallRecord, { streams }: CallMetrics) {
    this.#call = call;
    this.#record = record;
    const { grpc_service, grpc_method } = record.labels;
    streams.inc({ grpc_service, grpc_method });
    const over = (): void => {
      streams.dec({ grpc_service, grpc_method });
      const drained = call.signal.reason === serverDrained;
      record.end(
        drained ? undefined : { code: 'cancelled', message: 'the client ended the stream' },
        call.peer,
      );
    };
    if (call.signal.aborted) over();
    else call.signal.addEventListener('abort', over, { once: true });
  }

  get request(): Uint8Array {
    return this.#call.request;
  }

  get peer(): Peer {
    return this.#call.peer;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  send(message: Uint8Array): boolean {
    return this.#call.send(message);
  }

  onWritable(listener: () => void): void {
    this.#call.onWritable(listener);
  }

  onAnswered(listener: () => void): void {
    this.#call.onAnswered(listener);
  }

  end(status?: Status): void {
    this.#record.end(status, this.peer);
    this.#call.end(status);
  }

  /** As `end`, with what the log may know beside the message. */
  fail(error: GatehouseError): void {
    this.#record.end(error, this.peer);
    this.#call.end({ code: error.code, message: error.message });
  }
}

const withDeadline = async (
  handle: (call: UnaryCall) => Promise<Uint8Array> | Uint8Array,
  call: UnaryCall,
  deadlineMs: number | undefined,
): Promise<Uint8Array> => {
  if (deadlineMs === undefined) return handle(call);
  const { request, peer, signal } = call;
  return within({ ms: deadlineMs, signal }, (inTime) => handle({ request, peer, signal: inTime }));
};
