import type { Authorization, HostMatch, InboundProtocol, Meta } from '@gatehouse/core/inbound/inbound-server';
import { byAge, compareText } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject, type RejectedRoute } from '@gatehouse/core/resources/kinds';

export type HttpRouteObject = KubeObject<'HTTPRoute'> | KubeObject<'GatewayHTTPRoute'>;
export type GrpcRouteObject = KubeObject<'GRPCRoute'>;
export type RouteObject = HttpRouteObject | GrpcRouteObject;

export const isGrpcRoute = (route: RouteObject): route is GrpcRouteObject => route.kind === 'GRPCRoute';
export const isHttpRoute = (route: RouteObject): route is HttpRouteObject => route.kind !== 'GRPCRoute';

/** The routes attached to a Server, by their specs alone: no status is read. Older first, then by name, group and kind. */
export const attachedTo = (
  server: KubeObject<'Server'>,
  routes: readonly RouteObject[],
): readonly RouteObject[] =>
  routes
    .filter((route) => route.meta.namespace === server.meta.namespace && isAttached(route, server.meta.name))
    .toSorted((a, b) => byAge(a, b) || compareText(typeOf(a), typeOf(b)));

/** The routes attached to the Server of a port, by what the port does with them. */
export interface PortRoutes {
  readonly sent: readonly RouteObject[];
  /** Those for which the port has no room: the newest. */
  readonly leftOut: readonly RouteObject[];
  /**
   * Those of another protocol than the port's, in whose list they have no place: an HTTPRoute where gRPC is spoken, a
   * GRPCRoute elsewhere, any where nothing but bytes is known. They route nothing, as in Linkerd; but their authors wrote
   * of requests, so rules must not widen that (design §6.4).
   */
  readonly foreign: readonly RouteObject[];
}

export const noRoutes: PortRoutes = { sent: [], leftOut: [], foreign: [] };

export const portRoutes = (
  attached: readonly RouteObject[],
  { protocol, room }: { readonly protocol: InboundProtocol['kind']; readonly room: number },
): PortRoutes => {
  const isSpoken = isSpokenBy(protocol);
  const foreign = attached.filter((route) => !isSpoken(route));
  return { ...fitting(attached.filter(isSpoken), room), foreign };
};

/** Whether a route has a place where the protocol is spoken. */
export const isSpokenBy = (protocol: InboundProtocol['kind']): ((route: RouteObject) => boolean) => {
  switch (protocol) {
    case 'detect':
    case 'http1':
    case 'http2':
      return isHttpRoute;
    case 'grpc':
      return isGrpcRoute;
    case 'opaque':
    case 'tls':
      return () => false;
  }
};

/** Those for whose matches the port has room, older first, and those for which it has none: the newest. */
const fitting = (
  spoken: readonly RouteObject[],
  room: number,
): { readonly sent: readonly RouteObject[]; readonly leftOut: readonly RouteObject[] } => {
  let matches = 0;
  const first = spoken.findIndex(({ spec }) => {
    matches += matchesIn(isRejected(spec) ? spec.keeps.map((kept) => ({ rules: [kept] })) : [spec]);
    return matches > room;
  });
  return first < 0
    ? { sent: spoken, leftOut: [] }
    : { sent: spoken.slice(0, first), leftOut: spoken.slice(first) };
};

/** A rule without matches counts as one that matches everything, a route without rules too. */
export const matchesIn = (
  routes: readonly { readonly rules: readonly { readonly matches: readonly unknown[] }[] }[],
): number => {
  let count = 0;
  for (const { rules } of routes) {
    count += rules.length === 0 ? 1 : 0;
    for (const { matches } of rules) count += Math.max(1, matches.length);
  }
  return count;
};

const isAttached = ({ spec }: RouteObject, server: string): boolean => {
  const servers = isRejected(spec) ? spec.attachedTo : spec.servers;
  return servers === 'all' || servers.includes(server);
};

/** The kind as authors write it. */
export const writtenKindOf = ({ kind }: Pick<RouteObject, 'kind'>): 'HTTPRoute' | 'GRPCRoute' =>
  kind === 'GRPCRoute' ? 'GRPCRoute' : 'HTTPRoute';

const groupOf = ({ kind }: Pick<RouteObject, 'kind'>): string =>
  kind === 'HTTPRoute' ? 'policy.linkerd.io' : 'gateway.networking.k8s.io';

const typeOf = (route: RouteObject): string => `${groupOf(route)} ${writtenKindOf(route)}`;

/**
 * Whether it may be attached elsewhere only, beside routes that are the Server's own. What it keeps is then not sent: it would
 * give a route to requests that have none, and proxies add to every route what is granted on the whole port.
 */
export const isPerhapsElsewhere = (
  { spec }: { readonly spec: object },
  { sent, leftOut }: Pick<PortRoutes, 'sent' | 'leftOut'>,
): boolean =>
  isRejected(spec) && 'attachedTo' in spec && spec.attachedTo === 'all' && sent.length + leftOut.length > 1;

/** A route object of either kind. */
interface Written<Match, Filter> {
  readonly kind: RouteObject['kind'];
  readonly meta: RouteObject['meta'];
  readonly spec:
    | { readonly hosts: readonly string[]; readonly rules: readonly SentRule<Match, Filter>[] }
    | RejectedRoute<Match>;
}

interface SentRule<Match, Filter> {
  readonly matches: readonly Match[];
  readonly filters: readonly Filter[];
}

/** A route as a proxy is told of it: an HttpRoute or a GrpcRoute. */
interface SentRoute<Match, Filter> {
  readonly meta: Meta;
  readonly hosts: readonly HostMatch[];
  readonly authorizations: readonly Authorization[];
  readonly rules: readonly SentRule<Match, Filter>[];
}

/**
 * Routes as they are written; what rejected ones still keep is sent without authorizations, so that it is handed on to
 * nobody.
 */
export const routesSent = <Match, Filter>(
  routes: readonly Written<Match, Filter>[],
  {
    ofPort,
    byRoute,
  }: {
    readonly ofPort: PortRoutes;
    readonly byRoute: ReadonlyMap<object, readonly Authorization[]>;
  },
): readonly SentRoute<Match, Filter>[] =>
  routes.flatMap((route): readonly SentRoute<Match, Filter>[] => {
    const resource = { group: groupOf(route), kind: writtenKindOf(route), name: route.meta.name };
    const meta: Meta = { kind: 'resource', resource };
    const { spec } = route;
    if (!isRejected(spec)) {
      const authorizations = byRoute.get(route) ?? [];
      return [{ meta, hosts: spec.hosts.map(hostMatch), authorizations, rules: spec.rules }];
    }
    const keeps = isPerhapsElsewhere(route, ofPort) ? [] : spec.keeps;
    // One that keeps nothing is sent too: a proxy without any route would make one for every request.
    if (keeps.length === 0) return [{ meta, hosts: [], authorizations: [], rules: [] }];
    return keeps.map(({ hosts, matches }) => ({
      meta,
      hosts: hosts.map(hostMatch),
      authorizations: [],
      // A rule without matches would match every request.
      rules: matches.length === 0 ? [] : [{ matches, filters: [] }],
    }));
  });

const hostMatch = (host: string): HostMatch =>
  host.startsWith('*.') ? { kind: 'suffix', suffix: host.slice(2) } : { kind: 'exact', host };
