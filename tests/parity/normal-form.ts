import type {
  Authentication,
  Authorization,
  GrpcRoute,
  HttpMatch,
  HttpRoute,
  InboundProtocol,
  InboundServer,
  LocalRateLimit,
} from '@gatehouse/core/inbound/inbound-server';
import { type IpNetwork, type NetworkMatch, networkMask, printNetwork } from '@gatehouse/core/ip-network';
import { printSuffix } from '@gatehouse/core/mesh/identity-match';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';

/**
 * A row as two controllers must agree on it: the order of what is a union, a network's host bits and what is said twice mean
 * nothing to a proxy; the order of routes, rules and matches does.
 */
export const normalForm = (server: InboundServer): object => ({
  meta: server.meta,
  protocol: protocolOf(server.protocol),
  authorizations: union(server.authorizations),
});

const protocolOf = (protocol: InboundProtocol): object => {
  switch (protocol.kind) {
    case 'detect':
    case 'http1':
    case 'http2':
      return {
        kind: protocol.kind,
        ...('timeoutMs' in protocol ? { timeoutMs: protocol.timeoutMs } : {}),
        routes: protocol.routes.map(httpRoute),
        rateLimit: rateLimit(protocol.rateLimit),
      };
    case 'grpc':
      return { ...protocol, routes: protocol.routes.map(withUnion) };
    case 'opaque':
    case 'tls':
      return protocol;
  }
};

/** One that limits nothing is none. */
const rateLimit = (limit: LocalRateLimit | undefined): LocalRateLimit | undefined =>
  limit?.total === undefined && limit?.identity === undefined && limit?.overrides.length === 0
    ? undefined
    : limit;

const withUnion = (route: HttpRoute | GrpcRoute): object => ({
  ...route,
  authorizations: union(route.authorizations),
});

const httpRoute = (route: HttpRoute): object => ({
  ...withUnion(route),
  rules: route.rules.map(({ matches, filters }) => ({
    matches: (matches.length === 0 ? [everyRequest] : matches).map(httpMatch),
    filters,
  })),
});

const everyRequest: HttpMatch = { headers: [], queryParams: [] };

/** To a proxy a rule without matches, and a match without a path, are as the prefix `/` (contract/proxy.md §6.3). */
const httpMatch = (match: HttpMatch): HttpMatch => ({ path: { kind: 'prefix', value: '/' }, ...match });

const union = (authorizations: readonly Authorization[]): readonly object[] =>
  sorted(
    authorizations.map(({ networks, authentication, meta }) => ({
      meta,
      networks: set(networks.map(network)),
      authentication: clients(authentication),
    })),
  );

const network = ({ net, except }: NetworkMatch): string =>
  [masked(net), ...set(except.map(masked))].join(' without ');

const masked = (net: IpNetwork): string =>
  printNetwork({ ...net, bits: net.bits & networkMask(net.family, net.prefix) });

const clients = (authentication: Authentication): object =>
  authentication.kind === 'identities'
    ? {
        identities: set(authentication.identities.map(printIdentity)),
        suffixes: set(authentication.suffixes.map(printSuffix)),
      }
    : authentication;

const set = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

const sorted = (objects: readonly object[]): readonly object[] =>
  [...objects].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
