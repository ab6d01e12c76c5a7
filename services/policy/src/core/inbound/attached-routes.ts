import type { Authorization, HostMatch, HttpRoute, Meta } from '@gatehouse/core/inbound/inbound-server';
import { byAge, compareText } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';

export type RouteObject = KubeObject<'HTTPRoute'> | KubeObject<'GatewayHTTPRoute'>;

/** The routes attached to a Server, by their specs alone: no status is read. Older first, then by name and group. */
export const attachedTo = (
  server: KubeObject<'Server'>,
  routes: readonly RouteObject[],
): readonly RouteObject[] =>
  routes
    .filter((route) => route.meta.namespace === server.meta.namespace && isAttached(route, server.meta.name))
    .toSorted((a, b) => byAge(a, b) || compareText(groupOf(a), groupOf(b)));

/** Those for whose matches the port has room, older first, and those for which it has none: the newest. */
export const fitting = (
  attached: readonly RouteObject[],
  room: number,
): { readonly sent: readonly RouteObject[]; readonly leftOut: readonly RouteObject[] } => {
  let matches = 0;
  const first = attached.findIndex(({ spec }) => {
    matches += matchesIn(isRejected(spec) ? spec.keeps.map((kept) => ({ rules: [kept] })) : [spec]);
    return matches > room;
  });
  return first < 0
    ? { sent: attached, leftOut: [] }
    : { sent: attached.slice(0, first), leftOut: attached.slice(first) };
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

const groupOf = ({ kind }: RouteObject): string =>
  kind === 'HTTPRoute' ? 'policy.linkerd.io' : 'gateway.networking.k8s.io';

/**
 * Whether it may be attached elsewhere only, beside routes that are the Server's own. What it keeps is then not sent: it would
 * give a route to requests that have none, and proxies add to every route what is granted on the whole port.
 */
export const isPerhapsElsewhere = ({ spec }: RouteObject, attached: readonly RouteObject[]): boolean =>
  isRejected(spec) && spec.attachedTo === 'all' && attached.length > 1;

/**
 * Those of the attached routes for which the port has room, as written; what rejected ones still keep is sent without
 * authorizations, so that it is handed on to nobody.
 */
export const routesSent = (
  sent: readonly RouteObject[],
  byRoute: ReadonlyMap<RouteObject, readonly Authorization[]>,
  attached: readonly RouteObject[],
): readonly HttpRoute[] =>
  sent.flatMap((route): readonly HttpRoute[] => {
    const resource = { group: groupOf(route), kind: 'HTTPRoute', name: route.meta.name };
    const meta: Meta = { kind: 'resource', resource };
    const { spec } = route;
    if (!isRejected(spec)) {
      const authorizations = byRoute.get(route) ?? [];
      return [{ meta, hosts: spec.hosts.map(hostMatch), authorizations, rules: spec.rules }];
    }
    const keeps = isPerhapsElsewhere(route, attached) ? [] : spec.keeps;
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
