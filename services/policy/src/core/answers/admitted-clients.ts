import type {
  Authorization,
  GrpcMatch,
  GrpcRoute,
  HostMatch,
  HttpMatch,
  HttpRoute,
  InboundServer,
  Meta,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import { prefixCovers } from '@gatehouse/core/inbound/match-request';
import { everywhere, type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';

/** Clients that one authorization admits, and to what. */
export interface AdmittedClients {
  readonly authorization: Authorization;
  /** Every request and raw TCP, or these requests, each on a route that carries the authorization. */
  readonly requests: 'all' | readonly RoutedRequests[];
}

/** Requests that one route is chosen for, as far as one of its matches says. */
export interface RoutedRequests {
  readonly hosts: readonly HostMatch[];
  readonly match: RequestMatch;
  /** Whose route it is. */
  readonly route: Meta;
}

export type RequestMatch =
  | { readonly kind: 'http'; readonly match: HttpMatch }
  | { readonly kind: 'grpc'; readonly match: GrpcMatch };

/** The routes of a port, whatever it speaks; those without are one for everything. */
export const routesOf = ({
  protocol,
}: InboundServer): readonly (Pick<HttpRoute | GrpcRoute, 'meta' | 'hosts' | 'authorizations'> & {
  readonly matches: readonly RequestMatch[];
})[] => {
  switch (protocol.kind) {
    case 'detect':
    case 'http1':
    case 'http2':
      return protocol.routes.map(({ rules, ...route }) => ({
        ...route,
        matches: matchesOf(rules, anyRequest).map((match) => ({ kind: 'http' as const, match })),
      }));
    case 'grpc':
      return protocol.routes.map(({ rules, ...route }) => ({
        ...route,
        matches: matchesOf(rules, anyCall).map((match) => ({ kind: 'grpc' as const, match })),
      }));
    case 'opaque':
    case 'tls':
      return [];
  }
};

const anyRequest: HttpMatch = { headers: [], queryParams: [] };
const anyCall: GrpcMatch = { service: '', method: '', headers: [] };

/** A rule without matches is about every request. */
const matchesOf = <Match>(
  rules: readonly { readonly matches: readonly Match[] }[],
  any: Match,
): readonly Match[] => rules.flatMap(({ matches }) => (matches.length === 0 ? [any] : matches));

/**
 * Everyone whom a row admits: what holds for the whole port, then what holds on single routes, one item for each
 * authorization. Requests that another request of the same item covers are left out.
 */
export const admittedClients = (server: InboundServer): readonly AdmittedClients[] => {
  const byRoute = new Map<string, { authorization: Authorization; requests: RoutedRequests[] }>();
  for (const { meta, hosts, matches, authorizations } of routesOf(server)) {
    for (const authorization of authorizations) {
      const key = keyOf(authorization);
      const known = byRoute.get(key) ?? { authorization, requests: [] };
      byRoute.set(key, known);
      for (const match of matches) known.requests.push({ hosts, match, route: meta });
    }
  }
  return [
    ...server.authorizations.map((authorization) => ({ authorization, requests: 'all' as const })),
    ...[...byRoute.values()].map(({ authorization, requests }) => ({
      authorization,
      requests: widest(requests),
    })),
  ];
};

/** A word for whom a port admits; what only probes may do counts for nothing. */
export const accessOf = (server: InboundServer): 'open' | 'authenticated' | 'restricted' | 'closed' => {
  const fromEverywhere = server.authorizations.filter(({ networks }) => isEverywhere(networks));
  if (fromEverywhere.some(isAnybody)) return 'open';
  if (fromEverywhere.some(isAnyIdentity)) return 'authenticated';
  const onRoutes = routesOf(server).flatMap(({ authorizations }) => authorizations);
  return [...server.authorizations, ...onRoutes].some(({ meta }) => !isProbe(meta)) ? 'restricted' : 'closed';
};

const isProbe = (meta: Meta): boolean => meta.kind === 'default' && meta.name === 'probe';

const isAnybody = ({ authentication }: Authorization): boolean => authentication.kind === 'unauthenticated';

const isAnyIdentity = ({ authentication }: Authorization): boolean =>
  authentication.kind === 'identities' && authentication.suffixes.some((parts) => parts.length === 0);

/** Both families, whole. */
export const isEverywhere = (networks: readonly NetworkMatch[]): boolean =>
  everywhere.every(({ net }) =>
    networks.some((one) => one.except.length === 0 && one.net.family === net.family && one.net.prefix === 0),
  );

const keyOf = ({ networks, authentication, meta }: Authorization): string =>
  JSON.stringify([
    meta,
    authentication,
    networks.map(({ net, except }) => [net, ...except].map(printNetwork)),
  ]);

/** To compare more of them with each other would cost more than it saves a reader. */
const mostToCompare = 256;

const widest = (requests: readonly RoutedRequests[]): readonly RoutedRequests[] => {
  if (requests.length > mostToCompare) return requests;
  return requests.filter(
    (one, at) =>
      !requests.some(
        (other, otherAt) => otherAt !== at && covers(other, one) && !(covers(one, other) && at < otherAt),
      ),
  );
};

/** Whether every request of `inner` is one of `outer`; false also where that is not easily seen. */
const covers = (outer: RoutedRequests, inner: RoutedRequests): boolean => {
  if (JSON.stringify(outer.hosts) !== JSON.stringify(inner.hosts)) return false;
  const [wide, narrow] = [outer.match, inner.match];
  if (wide.kind === 'http' && narrow.kind === 'http') {
    const [a, b] = [wide.match, narrow.match];
    return (
      coversPath(a.path, b.path) &&
      (a.method === undefined || a.method === b.method) &&
      includesAll(b.headers, a.headers) &&
      includesAll(b.queryParams, a.queryParams)
    );
  }
  if (wide.kind === 'grpc' && narrow.kind === 'grpc') {
    const [a, b] = [wide.match, narrow.match];
    return (
      (a.service === '' || a.service === b.service) &&
      (a.method === '' || a.method === b.method) &&
      includesAll(b.headers, a.headers)
    );
  }
  return false;
};

const coversPath = (outer: HttpMatch['path'], inner: HttpMatch['path']): boolean => {
  if (outer === undefined || (outer.kind === 'prefix' && outer.value === '/')) return true;
  if (inner === undefined) return false;
  if (outer.kind === inner.kind && outer.value === inner.value) return true;
  return outer.kind === 'prefix' && inner.kind !== 'regex' && prefixCovers(outer.value, inner.value);
};

const includesAll = (all: readonly ValueMatch[], some: readonly ValueMatch[]): boolean =>
  some.every((one) =>
    all.some(({ name, kind, value }) => name === one.name && kind === one.kind && value === one.value),
  );
