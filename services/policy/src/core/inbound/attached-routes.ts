import type {
  Authorization,
  HostMatch,
  HttpFilter,
  HttpMatch,
  HttpRoute,
  Meta,
  ValueMatch,
} from '@gatehouse/core/inbound/inbound-server';
import {
  anyHttpRank,
  compareRanks,
  type Rank,
  type RegexMatcher,
  rankHosts,
  rankHttp,
} from '@gatehouse/core/inbound/match-request';
import { byAge, compareText } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ProbeRequest } from './probes.ts';
import { maxMatches, type OpenProbes } from './rule-routes.ts';

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

/**
 * Routes that keep a probe open beside attached ones (design §6.2). Wherever an attached rule would also match the
 * probe's request, the proxy would use one of the two alone; so each such overlap gets a route of its own that is at
 * least as specific, with what the attached rule chosen there gives, plus the probe's authorization. They go first in the list.
 * Undefined when the attached rules overlap in more ways than a port may have matches.
 */
export const probeRoutes = (
  request: ProbeRequest,
  attached: readonly HttpRoute[],
  context: { readonly authorization: OpenProbes['authorization']; readonly matchesRegex: RegexMatcher },
): readonly HttpRoute[] | undefined => {
  const rules = overlapping(request, attached, context.matchesRegex);
  const overlaps = close(rules);
  return overlaps?.map((overlap) => {
    const chosen = chosenAt(overlap, rules);
    const match: HttpMatch = {
      path: { kind: 'exact', value: request.path },
      method: request.method,
      headers: overlap.headers,
      queryParams: overlap.queryParams,
    };
    return {
      meta: probeMeta,
      hosts: overlap.host === undefined ? [] : [overlap.host],
      authorizations: [...(chosen?.authorizations ?? []), context.authorization],
      rules: [{ matches: [match], filters: chosen?.filters ?? [] }],
    };
  });
};

const probeMeta: Meta = { kind: 'default', name: 'probe' };

/** What must hold of a request beside the probe's path and method. */
interface Overlap {
  readonly host: HostMatch | undefined;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

/** One match of an attached rule, under one of its route's hosts, that the probe's request can meet. */
interface OverlappingRule extends Overlap {
  /** The proxy's rank of the attached rule itself, for the probe's path. */
  readonly rank: Rank;
  readonly authorizations: readonly Authorization[];
  readonly filters: readonly HttpFilter[];
}

/** In the list's order, on which ties depend. */
const overlapping = (
  { method, path }: ProbeRequest,
  attached: readonly HttpRoute[],
  matchesRegex: RegexMatcher,
): readonly OverlappingRule[] => {
  const found: OverlappingRule[] = [];
  const request = { method, target: path, host: undefined, headers: [] };
  for (const { hosts, rules, authorizations } of attached) {
    for (const { matches, filters } of rules) {
      for (const match of matches.length === 0 ? [undefined] : matches) {
        const ofPath =
          match === undefined
            ? anyHttpRank
            : rankHttp({ ...match, headers: [], queryParams: [] }, request, matchesRegex);
        if (ofPath === undefined) continue;
        const { headers = [], queryParams = [] } = match ?? {};
        const [length = 0, , , ofMethod = 0] = ofPath;
        for (const host of hosts.length === 0 ? [undefined] : hosts) {
          const ofHost =
            host === undefined ? [0, 0] : (rankHosts([host], { ...request, host: sampleOf(host) }) ?? [0, 0]);
          found.push({
            host,
            headers,
            queryParams,
            rank: [...ofHost, length, headers.length, queryParams.length, ofMethod],
            authorizations,
            filters: filters.map((filter) => atPath(filter, match, path)),
          });
        }
      }
    }
  }
  return found;
};

/** A host that the pattern matches. */
const sampleOf = (host: HostMatch): string => (host.kind === 'exact' ? host.host : `a.${host.suffix}`);

/**
 * A filter as it acts at the probe's exact path: there is no prefix left that a redirect could replace, and the proxy
 * would answer 500, so the path that it leads to is written out.
 */
const atPath = (filter: HttpFilter, match: HttpMatch | undefined, path: string): HttpFilter => {
  if (filter.kind !== 'redirect' || filter.path?.kind !== 'prefix') return filter;
  if (match?.path !== undefined && match.path.kind !== 'prefix') return filter;
  const prefix = match?.path?.value ?? '/';
  const rest = path.slice(prefix === '/' ? 1 : prefix.replace(/\/+$/, '').length);
  const slash = rest === '' || rest.startsWith('/') ? '' : '/';
  return { ...filter, path: { kind: 'full', value: `${filter.path.value}${slash}${rest}` } };
};

/** All overlaps: of the probe with each rule, and with whatever several rules have in common. */
const close = (rules: readonly Overlap[]): readonly Overlap[] | undefined => {
  const anyRequest: Overlap = { host: undefined, headers: [], queryParams: [] };
  const overlaps = new Map([[textOf(anyRequest), anyRequest]]);
  for (const rule of rules) {
    for (const other of [...overlaps.values()]) {
      const common = both(other, rule);
      if (common !== undefined) overlaps.set(textOf(common), common);
    }
    if (overlaps.size > maxMatches) return undefined;
  }
  return [...overlaps.values()];
};

const both = (a: Overlap, b: Overlap): Overlap | undefined => {
  const host = hostCovers(a.host, b.host) ? b.host : hostCovers(b.host, a.host) ? a.host : 'none';
  if (host === 'none') return undefined;
  return { host, headers: union(a.headers, b.headers), queryParams: union(a.queryParams, b.queryParams) };
};

const hostCovers = (outer: HostMatch | undefined, inner: HostMatch | undefined): boolean => {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  if (outer.kind === 'exact')
    return inner.kind === 'exact' && inner.host.toLowerCase() === outer.host.toLowerCase();
  const name = (inner.kind === 'exact' ? inner.host : `.${inner.suffix}`).toLowerCase();
  return name.endsWith(`.${outer.suffix.toLowerCase()}`);
};

const valueText = ({ name, kind, value }: ValueMatch): string => JSON.stringify([name, kind, value]);

/** A condition that is written twice counts twice in the proxy's ranks, so it is kept as often as either side has it. */
const union = (a: readonly ValueMatch[], b: readonly ValueMatch[]): readonly ValueMatch[] => {
  const left = a.map(valueText);
  const missing = b.filter((value) => {
    const index = left.indexOf(valueText(value));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return [...a, ...missing].toSorted((x, y) => compareText(valueText(x), valueText(y)));
};

const textOf = ({ host, headers, queryParams }: Overlap): string => {
  const name = host === undefined ? undefined : host.kind === 'exact' ? host.host : `*.${host.suffix}`;
  return JSON.stringify([name?.toLowerCase(), headers.map(valueText), queryParams.map(valueText)]);
};

/** What the proxy would do with a request in this overlap if there were no probe; undefined where it has no route. */
const chosenAt = (overlap: Overlap, rules: readonly OverlappingRule[]): OverlappingRule | undefined => {
  let chosen: OverlappingRule | undefined;
  for (const rule of rules) {
    if (!hostCovers(rule.host, overlap.host)) continue;
    if (!holdsAll(rule.headers, overlap.headers) || !holdsAll(rule.queryParams, overlap.queryParams))
      continue;
    if (chosen === undefined || compareRanks(rule.rank, chosen.rank) > 0) chosen = rule;
  }
  return chosen;
};

const holdsAll = (wanted: readonly ValueMatch[], given: readonly ValueMatch[]): boolean =>
  wanted.every((one) => given.some((other) => valueText(other) === valueText(one)));
