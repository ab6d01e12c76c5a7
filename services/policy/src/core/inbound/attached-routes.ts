import type { Authorization, HostMatch, HttpRoute } from '@gatehouse/core/inbound/inbound-server';
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

const isAttached = ({ spec }: RouteObject, server: string): boolean => {
  const servers = isRejected(spec) ? (spec.attachedTo ?? []) : spec.servers;
  return servers === 'all' || servers.includes(server);
};

const groupOf = ({ kind }: RouteObject): string =>
  kind === 'HTTPRoute' ? 'policy.linkerd.io' : 'gateway.networking.k8s.io';

/** Sent as written; a rejected route stays attached without rules, so that breaking it does not hand its requests on. */
export const attachedRoute = (route: RouteObject, authorizations: readonly Authorization[]): HttpRoute => {
  const { meta, spec } = route;
  return {
    meta: { kind: 'resource', resource: { group: groupOf(route), kind: 'HTTPRoute', name: meta.name } },
    hosts: isRejected(spec) ? [] : spec.hosts.map(hostMatch),
    authorizations,
    rules: isRejected(spec) ? [] : spec.rules,
  };
};

const hostMatch = (host: string): HostMatch =>
  host.startsWith('*.') ? { kind: 'suffix', suffix: host.slice(2) } : { kind: 'exact', host };
