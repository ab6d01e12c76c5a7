import { hostNetwork, type IpAddress, matchesNetwork, type NetworkMatch } from '../ip-network.ts';
import { endsIn } from '../mesh/identity-match.ts';
import { printIdentity } from '../mesh/workload-identity.ts';
import type {
  Authentication,
  Authorization,
  GrpcMatch,
  HostMatch,
  HttpFilter,
  HttpMatch,
  InboundServer,
  Meta,
  PathMatch,
} from './inbound-server.ts';
import {
  anyGrpcRank,
  anyHttpRank,
  compareRanks,
  type HttpRequest,
  type Rank,
  type RegexMatcher,
  rankGrpc,
  rankHosts,
  rankHttp,
} from './match-request.ts';

/**
 * What an unmodified proxy does with an attempt on a port for which it was sent a server: the rules of
 * `contract/proxy.md` §6, and nothing else. The tests of the compiler, the reference proxy, explain and simulate all ask here.
 */
export interface Attempt {
  /** The TCP peer as the proxy sees it; IPv4-mapped IPv6 counts as IPv4. */
  readonly client: IpAddress;
  readonly tls: ClientTls;
  readonly traffic: { readonly kind: 'tcp' } | ({ readonly kind: 'http' } & HttpRequest);
}

/** What the proxy's own TLS says of the client. */
export type ClientTls =
  | { readonly kind: 'none' }
  /** TLS ended by the proxy, without a client certificate. */
  | { readonly kind: 'anonymous' }
  /** The first SAN of a verified certificate: a lower-case DNS name, or a URI in normal form. */
  | { readonly kind: 'identified'; readonly id: 'dns' | 'uri'; readonly name: string }
  /** No TLS detection was done: an opaque port reached without transport header. */
  | { readonly kind: 'port-skipped' };

export type Verdict =
  | {
      readonly kind: 'allowed';
      readonly authorization: Meta;
      /** Undefined for raw TCP. */
      readonly route: Meta | undefined;
      /** To apply in order. */
      readonly filters: readonly HttpFilter[];
      /** The path match that was chosen, which a redirect by prefix needs; undefined when the match names no path. */
      readonly path: PathMatch | undefined;
    }
  | {
      readonly kind: 'denied';
      /**
       * `unauthorized`: 403, or the connection closed. `no-route`: 404. `not-http`: bytes that are not HTTP on a port
       * that speaks only HTTP; closed for everyone.
       */
      readonly reason: 'unauthorized' | 'no-route' | 'not-http';
      readonly route: Meta | undefined;
    };

/**
 * A server as a proxy holds it. To each one it is sent it adds an authorization for its own loopback; not so to the
 * policies that it makes itself, from its environment or in place of a message it cannot read.
 */
export interface EnforcedServer extends InboundServer {
  readonly admitsLocalhost?: false;
}

const named = (name: string): Meta => ({ kind: 'default', name });

const loopback = (family: 4 | 6, bits: bigint): NetworkMatch => ({
  net: hostNetwork({ family, bits }),
  except: [],
});

/** 127.0.0.1 and ::1 only; 127.0.0.2 is not covered. */
const localhost: Authorization = {
  networks: [loopback(4, 0x7f00_0001n), loopback(6, 1n)],
  authentication: { kind: 'unauthenticated' },
  meta: named('localhost'),
};

const everyRequest = { hosts: [], authorizations: [], rules: [{ matches: [], filters: [] }] } as const;

/** What a proxy puts in place of a message it cannot read: 403 for every request, every connection closed. */
export const invalidServer: EnforcedServer = {
  protocol: { kind: 'detect', timeoutMs: 10_000, routes: [{ ...everyRequest, meta: named('invalid') }] },
  authorizations: [],
  meta: named('invalid'),
  admitsLocalhost: false,
};

/** The verdict of a proxy that enforces `server`; regular expressions are answered by `matchesRegex`. */
export const evaluate = (server: EnforcedServer, attempt: Attempt, matchesRegex: RegexMatcher): Verdict => {
  const authorizations =
    server.admitsLocalhost === false ? server.authorizations : [...server.authorizations, localhost];
  const { protocol } = server;
  const { traffic } = attempt;
  switch (protocol.kind) {
    case 'opaque':
    case 'tls':
      return authorizeConnection(authorizations, attempt);
    case 'detect':
      if (traffic.kind === 'tcp') return authorizeConnection(authorizations, attempt);
      break;
    case 'http1':
    case 'http2':
    case 'grpc':
      if (traffic.kind === 'tcp') return { kind: 'denied', reason: 'not-http', route: undefined };
      break;
  }
  const chosen =
    protocol.kind === 'grpc'
      ? choose<GrpcMatch>(protocol.routes, traffic, {
          rank: (match) => rankGrpc(match, traffic, matchesRegex),
          path: () => undefined,
          anyRank: anyGrpcRank,
        })
      : choose<HttpMatch>(protocol.routes, traffic, {
          rank: (match) => rankHttp(match, traffic, matchesRegex),
          path: (match) => match.path,
          anyRank: anyHttpRank,
        });
  if (chosen === undefined) return { kind: 'denied', reason: 'no-route', route: undefined };
  const { route, filters, path } = chosen;
  // A route's own list comes first, then the server's: an addition, never a restriction.
  const permit = firstThatAdmits([...route.authorizations, ...authorizations], attempt);
  return permit === undefined
    ? { kind: 'denied', reason: 'unauthorized', route: route.meta }
    : { kind: 'allowed', authorization: permit.meta, route: route.meta, filters, path };
};

const authorizeConnection = (authorizations: readonly Authorization[], attempt: Attempt): Verdict => {
  const permit = firstThatAdmits(authorizations, attempt);
  return permit === undefined
    ? { kind: 'denied', reason: 'unauthorized', route: undefined }
    : { kind: 'allowed', authorization: permit.meta, route: undefined, filters: [], path: undefined };
};

const firstThatAdmits = (
  authorizations: readonly Authorization[],
  { client, tls }: Attempt,
): Authorization | undefined =>
  authorizations.find(
    ({ networks, authentication }) =>
      networks.some((network) => matchesNetwork(network, client)) && suffices(authentication, tls),
  );

const suffices = (authentication: Authentication, tls: ClientTls): boolean => {
  switch (authentication.kind) {
    case 'unauthenticated':
      return true;
    case 'tls':
      return tls.kind === 'anonymous' || tls.kind === 'identified';
    case 'identities':
      if (tls.kind !== 'identified') return false;
      if (authentication.identities.some((identity) => printIdentity(identity) === tls.name)) return true;
      // Suffixes, also the empty one that stands for everybody, speak of DNS names only.
      return tls.id === 'dns' && authentication.suffixes.some((parts) => endsIn(parts, tls.name));
  }
};

interface Chosen {
  readonly route: { readonly meta: Meta; readonly authorizations: readonly Authorization[] };
  readonly filters: readonly HttpFilter[];
  readonly path: PathMatch | undefined;
}

/** What HTTP and gRPC routes have in common. */
interface Route<Match> {
  readonly meta: Meta;
  readonly hosts: readonly HostMatch[];
  readonly authorizations: readonly Authorization[];
  readonly rules: readonly { readonly matches: readonly Match[]; readonly filters: readonly HttpFilter[] }[];
}

interface Matching<Match> {
  readonly rank: (match: Match) => Rank | undefined;
  readonly path: (match: Match) => PathMatch | undefined;
  /** What a rule without matches counts as. */
  readonly anyRank: Rank;
}

/** What the proxy adds when it is sent no routes at all. */
const defaultRoute = { ...everyRequest, meta: named('default') };

/** The rule with the highest rank over all routes, rules and matches; of equals the first in the list. */
const choose = <Match>(
  routes: readonly Route<Match>[],
  request: HttpRequest,
  { rank, path, anyRank }: Matching<Match>,
): Chosen | undefined => {
  let [chosen, top]: [Chosen | undefined, Rank | undefined] = [undefined, undefined];
  const offer = (candidate: Chosen, rankOfCandidate: Rank): void => {
    if (top === undefined || compareRanks(rankOfCandidate, top) > 0)
      [chosen, top] = [candidate, rankOfCandidate];
  };
  for (const route of routes.length === 0 ? [defaultRoute] : routes) {
    const host = rankHosts(route.hosts, request);
    if (host === undefined) continue;
    for (const { matches, filters } of route.rules) {
      if (matches.length === 0) offer({ route, filters, path: undefined }, [...host, ...anyRank]);
      for (const match of matches) {
        const matched = rank(match);
        if (matched !== undefined) offer({ route, filters, path: path(match) }, [...host, ...matched]);
      }
    }
  }
  return chosen;
};
