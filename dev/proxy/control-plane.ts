import type { GatehouseError } from '@gatehouse/core/error';
import { isLoopback } from '@gatehouse/core/host-port';
import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { type Backoff, proxyBackoff, type WatchPath, watch } from '@gatehouse/platform/grpc/watch';
import type { CheckRegex } from '@gatehouse/wire/decode-http';
import type { ControlAddress, ProxyConfig } from './env.ts';
import type { EventLog } from './event-log.ts';

/** What a proxy asks its control plane with, and the machinery it reads the answers by. */
export interface ControlPlane {
  readonly config: ProxyConfig;
  readonly policy: GrpcClient;
  readonly destination: GrpcClient;
  readonly log: EventLog;
  readonly checkRegex: CheckRegex;
  readonly matchesRegex: RegexMatcher;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface Subscription {
  readonly service: 'policy' | 'destination';
  readonly path: WatchPath;
  readonly request: Uint8Array;
  /** What it is about, for events. */
  readonly target: string;
  readonly onMessage: (message: Uint8Array) => void;
  /** A stream is over, and the next message is the first of another. */
  readonly onReopen?: () => void;
}

/** The proxy waits less for a control plane on its own machine (contract/proxy.md §2.2). */
const backoffFor = ({ address }: ControlAddress): Backoff =>
  isLoopback(address.host) ? { ...proxyBackoff, maxMs: 10_000 } : proxyBackoff;

const wordsOf = (error: GatehouseError | undefined): string =>
  error === undefined ? 'ended' : `${error.code}: ${error.message}`;

/**
 * Keeps one stream open by the proxy's rules until `signal` aborts; what was received stays in force while it is down.
 * Resolves to the status that is an answer, else to undefined.
 */
export const subscribe = async (
  plane: ControlPlane,
  subscription: Subscription,
  signal: AbortSignal,
): Promise<GatehouseError | undefined> => {
  const { service, path, request, target, onMessage, onReopen } = subscription;
  const call = path.slice(path.lastIndexOf('/') + 1);
  const final = await watch({
    client: plane[service],
    path,
    request,
    signal,
    onMessage,
    onRetry: (error, waitMs) => {
      const retryMs = Math.round(waitMs);
      plane.log({ event: 'stream-lost', call, target, reason: wordsOf(error), retryMs });
      onReopen?.();
    },
    backoff: backoffFor(plane.config[service]),
    limits: plane.config.streamLimits,
    random: plane.random,
  });
  if (final !== undefined) {
    plane.log({ event: 'stream-lost', call, target, reason: wordsOf(final), retryMs: undefined });
  }
  return final;
};
