import { getHeapStatistics } from 'node:v8';
import type { SharedConfig } from '../settings/settings.ts';
import type { CallLimits } from './call-guard.ts';

/** What clients may make a server hold. */
export interface ServerLimits extends CallLimits {
  /** Connections that may be open at once, in a handshake or beyond it. */
  readonly connections: number;
}

/**
 * An open stream takes 8 KiB of the heap, one with the largest request and headers that are accepted 30. A connection takes
 * as much, and 40 KiB beside the heap for TLS.
 */
const heapPerCall = 64 * 1_024;
const heapPerConnection = 64 * 1_024;

/**
 * As much as this process can carry: a quarter of its heap for streams, whatever they are sent. What is left is for the
 * watch, for rows, and for the other services where all three share a process.
 */
export const usualLimits = (heapBytes = getHeapStatistics().heap_size_limit): ServerLimits => {
  const all = Math.floor(heapBytes / heapPerCall);
  return {
    connections: Math.floor(heapBytes / heapPerConnection),
    all,
    // Half, so that one address alone never costs others their calls, and a NAT in front of a cluster has enough.
    perAddress: Math.ceil(all / 2),
    // A gateway has a stream for each of its targets on one connection.
    perConnection: 10_000,
    // 32 KiB each at most. An honest request comes in one piece, so few are ever on their way.
    arriving: 1_024,
    arrivalMs: 10_000,
    // Proxies send about 200.
    headerBytes: 8 * 1_024,
    unheard: all,
  };
};

/** The usual limits as the settings of a service change them. */
export const limitsOf = (
  config: Pick<
    SharedConfig,
    'grpcMaxConnections' | 'grpcMaxCalls' | 'grpcMaxCallsPerAddress' | 'grpcMaxCallsPerConnection'
  >,
): ServerLimits => {
  const usual = usualLimits();
  const { grpcMaxConnections: connections = usual.connections, grpcMaxCalls: all = usual.all } = config;
  return {
    ...usual,
    connections,
    all,
    unheard: all,
    perAddress: config.grpcMaxCallsPerAddress ?? Math.ceil(all / 2),
    perConnection: config.grpcMaxCallsPerConnection,
  };
};
