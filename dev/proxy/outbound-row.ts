import type { HostMatch } from '@gatehouse/core/inbound/inbound-server';
import {
  anyGrpcRank,
  anyHttpRank,
  best,
  compareRanks,
  type HttpRequest,
  type Rank,
  type RegexMatcher,
  rankGrpc,
  rankHosts,
  rankHttp,
} from '@gatehouse/core/inbound/match-request';
import { type Parsed, problem } from '@gatehouse/core/problem';
import { type CheckRegex, decodeGrpcMatch, decodeHost, decodeHttpMatch } from '@gatehouse/wire/decode-http';
import {
  type Backend,
  type GrpcRoute,
  type HttpRoute,
  type OpaqueRoute,
  OutboundPolicy,
  type ProxyProtocol,
} from '@gatehouse/wire/gen/io/linkerd/proxy/outbound';
import { each, reading, required, unreadable } from '@gatehouse/wire/unreadable';
import { decodeEndpoint, type Endpoint } from './endpoints.ts';

/** Where traffic goes next. */
export type Way =
  /** To one of the endpoints that Destination.Get has for this authority. */
  | { readonly kind: 'balance'; readonly authority: string }
  | { readonly kind: 'forward'; readonly endpoint: Endpoint }
  | { readonly kind: 'refuse'; readonly status: number; readonly reason: string };

interface WeightedWay {
  readonly weight: number;
  readonly way: Way;
}

interface OutboundRule {
  readonly rank: (request: HttpRequest, matchesRegex: RegexMatcher) => Rank | undefined;
  readonly ways: readonly WeightedWay[];
}

interface OutboundRoute {
  readonly hosts: readonly HostMatch[];
  readonly rules: readonly OutboundRule[];
}

/** What an outbound policy says of a target, as far as a reference proxy follows it. */
export interface OutboundRow {
  /** Bytes are never looked at for HTTP. */
  readonly opaque: boolean;
  readonly http1: readonly OutboundRoute[];
  readonly http2: readonly OutboundRoute[];
  readonly tcp: readonly WeightedWay[];
}

const refuse = (status: number, reason: string): readonly WeightedWay[] => [
  { weight: 1, way: { kind: 'refuse', status, reason } },
];

const decodeBackend = (backend: Backend | undefined, field: string): Way => {
  const { kind, metadata } = required(backend, field);
  required(metadata?.kind, `${field}.metadata`);
  switch (kind?.$case) {
    case 'balancer': {
      const path = required(kind.value.discovery?.kind, `${field}.balancer.discovery`).value.path;
      return /^[^\s:]+:\d+$/.test(path)
        ? { kind: 'balance', authority: path }
        : unreadable(`${field}.balancer.discovery.dst.path`, `\`${path}\``, 'name:port');
    }
    case 'forward':
      return { kind: 'forward', endpoint: required(decodeEndpoint(kind.value), `${field}.forward`) };
    case undefined:
      return { kind: 'refuse', status: 502, reason: 'the backend leads nowhere' };
  }
};

/** What the Distributions of HTTP, gRPC and opaque routes have in common. */
interface RouteBackend {
  readonly backend: Backend | undefined;
  readonly filters: readonly unknown[];
}
type Distribution =
  | {
      readonly kind:
        | { readonly $case: 'empty' }
        | { readonly $case: 'firstAvailable'; readonly value: { readonly backends: readonly RouteBackend[] } }
        | {
            readonly $case: 'randomAvailable';
            readonly value: {
              readonly backends: readonly {
                readonly backend: RouteBackend | undefined;
                readonly weight: number;
              }[];
            };
          }
        | undefined;
    }
  | undefined;

/** Filters are not followed: a rule that has one refuses, so that nobody takes it for followed. */
const filtered = (filters: readonly unknown[]): readonly WeightedWay[] | undefined =>
  filters.length === 0 ? undefined : refuse(500, 'the reference proxy follows no outbound filters');

const decodeRouteBackend = (backend: RouteBackend | undefined, field: string): Way => {
  const { filters, backend: inner } = required(backend, field);
  return filtered(filters)?.[0]?.way ?? decodeBackend(inner, `${field}.backend`);
};

const decodeDistribution = (distribution: Distribution, field: string): readonly WeightedWay[] => {
  const kind = required(distribution?.kind, `${field}.kind`);
  switch (kind.$case) {
    case 'empty':
      return refuse(503, 'the route has no backend');
    case 'firstAvailable': {
      const [first] = kind.value.backends;
      return [{ weight: 1, way: decodeRouteBackend(first, `${field}.backends[0]`) }];
    }
    case 'randomAvailable':
      if (kind.value.backends.length === 0)
        unreadable(`${field}.backends`, 'none', 'at least one is required');
      return each(kind.value.backends, `${field}.backends`, ({ weight, backend }, at) => ({
        weight,
        way: decodeRouteBackend(backend, at),
      }));
  }
};

const bestOr = <M>(
  matches: readonly M[],
  any: Rank,
  rank: (match: M) => Rank | undefined,
): Rank | undefined => (matches.length === 0 ? any : best(matches.map(rank)));

const decodeHttpRoute =
  (checkRegex: CheckRegex) =>
  (route: HttpRoute, field: string): OutboundRoute => ({
    hosts: each(route.hosts, `${field}.hosts`, decodeHost),
    rules: each(route.rules, `${field}.rules`, (rule, at) => {
      const matches = each(rule.matches, `${at}.matches`, decodeHttpMatch(checkRegex));
      return {
        rank: (request, matchesRegex) =>
          bestOr(matches, anyHttpRank, (match) => rankHttp(match, request, matchesRegex)),
        ways: filtered(rule.filters) ?? decodeDistribution(rule.backends, `${at}.backends`),
      };
    }),
  });

const decodeGrpcRoute =
  (checkRegex: CheckRegex) =>
  (route: GrpcRoute, field: string): OutboundRoute => ({
    hosts: each(route.hosts, `${field}.hosts`, decodeHost),
    rules: each(route.rules, `${field}.rules`, (rule, at) => {
      const matches = each(rule.matches, `${at}.matches`, decodeGrpcMatch(checkRegex));
      return {
        rank: (request, matchesRegex) =>
          bestOr(matches, anyGrpcRank, (match) => rankGrpc(match, request, matchesRegex)),
        ways: filtered(rule.filters) ?? decodeDistribution(rule.backends, `${at}.backends`),
      };
    }),
  });

const decodeOpaque = (routes: readonly OpaqueRoute[], field: string): readonly WeightedWay[] => {
  const [route, ...more] = routes;
  if (route === undefined) return refuse(502, 'the target has no route for raw connections');
  const [rule] = route.rules;
  if (more.length > 0 || rule === undefined || route.rules.length > 1) {
    return unreadable(field, 'not one route with one rule', 'at most one route, exactly one rule');
  }
  const [filter] = rule.filters;
  if (filter !== undefined) return refuse(403, `raw connections are ${filter.kind?.$case ?? 'invalid'}`);
  return decodeDistribution(rule.backends, `${field}[0].rules[0].backends`);
};

const decodeProtocol = (protocol: ProxyProtocol, checkRegex: CheckRegex): OutboundRow => {
  const kind = required(protocol.kind, 'protocol.kind');
  const none = refuse(502, 'the target speaks HTTP only');
  switch (kind.$case) {
    case 'detect': {
      const { http1, http2, opaque } = kind.value;
      const http = decodeHttpRoute(checkRegex);
      return {
        opaque: false,
        http1: each(required(http1, 'detect.http1').routes, 'detect.http1.routes', http),
        http2: each(required(http2, 'detect.http2').routes, 'detect.http2.routes', http),
        tcp: decodeOpaque(required(opaque, 'detect.opaque').routes, 'detect.opaque.routes'),
      };
    }
    case 'http1':
    case 'http2': {
      const routes = each(kind.value.routes, `${kind.$case}.routes`, decodeHttpRoute(checkRegex));
      return { opaque: false, http1: routes, http2: routes, tcp: none };
    }
    case 'grpc': {
      const routes = each(kind.value.routes, 'grpc.routes', decodeGrpcRoute(checkRegex));
      return { opaque: false, http1: routes, http2: routes, tcp: none };
    }
    case 'opaque':
      return { opaque: true, http1: [], http2: [], tcp: decodeOpaque(kind.value.routes, 'opaque.routes') };
    case 'tls':
      return {
        opaque: true,
        http1: [],
        http2: [],
        tcp: refuse(502, 'the reference proxy does not route by SNI'),
      };
  }
};

/** Reads an outbound Watch message as the proxy does: one unreadable part makes all of it invalid (contract/proxy.md §1.6). */
export const decodeOutbound = (bytes: Uint8Array, checkRegex: CheckRegex): Parsed<OutboundRow> => {
  let message: OutboundPolicy;
  try {
    message = OutboundPolicy.decode(bytes);
  } catch {
    return problem(
      '',
      'the bytes are not an OutboundPolicy message',
      'send outbound.OutboundPolicy as protobuf',
    );
  }
  return reading(() => {
    required(message.metadata?.kind, 'metadata');
    return decodeProtocol(required(message.protocol, 'protocol'), checkRegex);
  });
};

/** Chooses by weight, for a `random` in [0, 1). */
export const chooseWay = (ways: readonly WeightedWay[], random: number): Way => {
  let left = random * ways.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, way } of ways) {
    left -= weight;
    if (left < 0) return way;
  }
  return ways[0]?.way ?? { kind: 'refuse', status: 503, reason: 'the route has no backend' };
};

/** The ways of the rule that fits the request best; of equals the first. */
export const chooseRule = (
  row: OutboundRow,
  request: HttpRequest & { readonly version: 1 | 2 },
  matchesRegex: RegexMatcher,
): readonly WeightedWay[] => {
  let [ways, top]: [readonly WeightedWay[], Rank | undefined] = [refuse(404, 'no route matches'), undefined];
  for (const { hosts, rules } of request.version === 1 ? row.http1 : row.http2) {
    const host = rankHosts(hosts, request);
    if (host === undefined) continue;
    for (const rule of rules) {
      const matched = rule.rank(request, matchesRegex);
      if (matched === undefined) continue;
      const rank = [...host, ...matched];
      if (top !== undefined && compareRanks(rank, top) <= 0) continue;
      [ways, top] = [rule.ways, rank];
    }
  }
  return ways;
};
