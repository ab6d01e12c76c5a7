import { createHash } from 'node:crypto';
import { type EnforcedServer, invalidServer } from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authentication, InboundServer, Meta } from '@gatehouse/core/inbound/inbound-server';
import { RateLimiter, rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { printNetwork } from '@gatehouse/core/ip-network';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Parsed, printProblem } from '@gatehouse/core/problem';
import type { RowSummary } from './event-log.ts';
import { Latest } from './latest.ts';

/** What decides one port now, and where that came from. */
export interface PolicyRow {
  readonly server: EnforcedServer;
  /** The buckets of this message; undefined where nothing is limited. */
  readonly limiter?: RateLimiter;
  readonly origin: /** The proxy's own environment: nothing has come yet. */
    | { readonly kind: 'initial' }
    | { readonly kind: 'pushed'; readonly hash: string; readonly at: number }
    /** A message came that cannot be read: it admits nobody (contract/proxy.md §1.5). */
    | { readonly kind: 'invalid'; readonly hash: string; readonly at: number; readonly reason: string };
}

/** One port of this pod and its newest row. */
export interface PortPolicy {
  readonly port: number;
  readonly row: Latest<PolicyRow>;
}

export const initialPolicy = (port: number, server: EnforcedServer): PortPolicy => ({
  port,
  row: new Latest<PolicyRow>({ server, origin: { kind: 'initial' } }),
});

export type DecodeRow = (bytes: Uint8Array) => Parsed<InboundServer>;

/** Makes a row of a WatchPort message that came `at` (epoch ms). */
export const readRow = (bytes: Uint8Array, decode: DecodeRow, at: number): PolicyRow => {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const outcome = decode(bytes);
  if (outcome.ok) {
    const server = outcome.value;
    const limit = rateLimitOf(server.protocol);
    const limited = limit === undefined ? {} : { limiter: new RateLimiter(limit) };
    return { server, ...limited, origin: { kind: 'pushed', hash, at } };
  }
  const reason = outcome.problems.map(printProblem).join('; ');
  return { server: invalidServer, origin: { kind: 'invalid', hash, at, reason } };
};

export const printMeta = (meta: Meta): string => {
  switch (meta.kind) {
    case 'default':
      return `default/${meta.name}`;
    case 'resource':
      return `${meta.resource.group}/${meta.resource.kind}/${meta.resource.name}`;
  }
};

const printAuthentication = (authentication: Authentication): string => {
  switch (authentication.kind) {
    case 'unauthenticated':
      return 'anybody';
    case 'tls':
      return 'TLS';
    case 'identities': {
      // A join would print objects too.
      const names: readonly string[] = [
        ...authentication.identities.map(printIdentity),
        ...authentication.suffixes.map((parts) => ['*', ...parts].join('.')),
      ];
      return names.join(', ');
    }
  }
};

/** A row in words, for events and for people. */
export const summarize = ({ meta, protocol, authorizations }: InboundServer): RowSummary => ({
  server: printMeta(meta),
  protocol: protocol.kind,
  authorizations: authorizations.map(
    ({ meta: authorization, networks, authentication }) =>
      `${printMeta(authorization)}: ${printAuthentication(authentication)} from ${networks
        .map(({ net, except }) => [net, ...except].map(printNetwork).join(' without '))
        .join(', ')}`,
  ),
  routes: 'routes' in protocol ? protocol.routes.map((route) => printMeta(route.meta)) : [],
});
