import type { ErrorCode } from '@gatehouse/core/error';
import { GatehouseError } from '@gatehouse/core/error';
import { pause } from '../process/pause.ts';
import type { GrpcClient } from './client.ts';

/** How linkerd2-proxy keeps a watch alive, by method (contract/proxy.md §2.1, §2.2). */
export interface WatchRules {
  /** Statuses that end the watch; any other, and a clean end, is tried again. */
  readonly final: readonly ErrorCode[];
  /** After a stream that delivered something: at once, or after one step of the backoff. */
  readonly reopen: 'at-once' | 'after-a-step';
}

const refused = ['invalid-argument', 'failed-precondition'] as const;

export const watchRules = {
  '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort': { final: refused, reopen: 'at-once' },
  '/io.linkerd.proxy.outbound.OutboundPolicies/Watch': {
    final: [...refused, 'not-found', 'unimplemented'],
    reopen: 'at-once',
  },
  '/io.linkerd.proxy.destination.Destination/Get': { final: refused, reopen: 'after-a-step' },
  '/io.linkerd.proxy.destination.Destination/GetProfile': { final: refused, reopen: 'at-once' },
} as const satisfies Record<string, WatchRules>;

export type WatchPath = keyof typeof watchRules;

export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  /** At most this share is added to each step. */
  readonly jitter: number;
}

/** The proxy's own, for a control plane elsewhere; on loopback it waits ten seconds at most. */
export const proxyBackoff: Backoff = { minMs: 100, maxMs: 60_000, jitter: 0.1 };

/** The `CONTROL_STREAM_*` settings (contract/proxy.md §2.5), in milliseconds; default: no limit. */
export interface StreamLimits {
  /** Until the first message; then the stream counts as failed. */
  readonly initialMs?: number;
  /** Between messages; then the stream is opened again. */
  readonly idleMs?: number;
  /** In all; then the stream is opened again. */
  readonly lifetimeMs?: number;
}

export interface WatchOptions {
  readonly client: Pick<GrpcClient, 'serverStream'>;
  readonly path: WatchPath;
  readonly request: Uint8Array;
  readonly signal: AbortSignal;
  readonly onMessage: (message: Uint8Array) => void;
  /** A stream is over and another will be opened after `waitMs`; no error = it ended well. */
  readonly onRetry?: (error: GatehouseError | undefined, waitMs: number) => void;
  readonly backoff?: Backoff;
  readonly limits?: StreamLimits;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Watches as the proxy does. Resolves to the status that is final for this method, or to undefined when `signal` aborts. */
export const watch = async (options: WatchOptions): Promise<GatehouseError | undefined> => {
  const { path, signal, onRetry, backoff = proxyBackoff, random = Math.random } = options;
  const rules: WatchRules = watchRules[path];
  let failures = 0;
  while (!signal.aborted) {
    const { delivered, error } = await oneStream(options);
    if (signal.aborted) break;
    if (error !== undefined && rules.final.includes(error.code)) return error;
    if (delivered) failures = 0;
    const atOnce = delivered && rules.reopen === 'at-once';
    const waitMs = atOnce ? 0 : stepOf(backoff, failures, random);
    if (!atOnce) failures += 1;
    onRetry?.(error, waitMs);
    if (!atOnce) await pause(waitMs, signal);
  }
  return undefined;
};

const stepOf = ({ minMs, maxMs, jitter }: Backoff, failures: number, random: () => number): number => {
  const base = Math.min(minMs * 2 ** failures, maxMs);
  return base + base * jitter * random();
};

interface StreamOutcome {
  readonly delivered: boolean;
  readonly error: GatehouseError | undefined;
}

/** One stream from its opening to its end. */
const oneStream = async (options: WatchOptions): Promise<StreamOutcome> => {
  const { client, path, request, signal, onMessage, limits = {} } = options;
  const { promise, resolve } = Promise.withResolvers<StreamOutcome>();
  let delivered = false;
  const end = (error: GatehouseError | undefined): void => resolve({ delivered, error });
  const timers = new Map<string, NodeJS.Timeout>();
  const limit = (name: keyof StreamLimits, error?: GatehouseError): void => {
    clearTimeout(timers.get(name));
    const ms = limits[name];
    if (ms !== undefined) timers.set(name, setTimeout(end, ms, error));
  };
  limit('initialMs', new GatehouseError('deadline-exceeded', 'the first message did not come in time'));
  limit('lifetimeMs');
  const cancel = client.serverStream(path, request, {
    onMessage: (message) => {
      delivered = true;
      clearTimeout(timers.get('initialMs'));
      limit('idleMs');
      onMessage(message);
    },
    onEnd: end,
  });
  const abort = (): void => end(undefined);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    // Harmless on a stream that is over; the other ends (limits, abort) have left it open.
    cancel();
    signal.removeEventListener('abort', abort);
    for (const timer of timers.values()) clearTimeout(timer);
  }
};
