import type {
  Authorization,
  HostMatch,
  HttpFilter,
  HttpMatch,
  HttpRoute,
  Meta,
} from '@gatehouse/core/inbound/inbound-server';
import {
  anyHttpRank,
  compareRanks,
  type Rank,
  type RegexMatcher,
  rankHosts,
  rankHttp,
} from '@gatehouse/core/inbound/match-request';
import type { ProbeRequest } from '@gatehouse/core/mesh/probes';
import {
  ConditionIds,
  type Conditions,
  hostCovers,
  keyOf,
  meet,
  noValues,
  type ValueSet,
} from './request-conditions.ts';
import type { OpenProbes } from './rule-routes.ts';

export interface ProbeRouteLimits {
  readonly matchesRegex: RegexMatcher;
  /** How many routes the probes of the port may make together. */
  readonly room: number;
}

export interface ProbeRoutes {
  readonly routes: readonly HttpRoute[];
  /** Probes that attached rules overlap with in more ways than there is room for; they stay shut. */
  readonly shut: readonly ProbeRequest[];
}

/**
 * Routes that keep probes open beside attached ones (design §6.2). Wherever an attached rule would also match a
 * probe's request, the proxy would use one of the two alone; so each such overlap gets a route of its own that is at
 * least as specific, with what the attached rule chosen there gives, plus the probe's authorization. They go first in the list.
 */
export const probeRoutes = (
  { requests, authorization }: OpenProbes,
  attached: readonly HttpRoute[],
  { matchesRegex, room }: ProbeRouteLimits,
): ProbeRoutes => {
  const conditionIds = new ConditionIds();
  const matches = attached.map((route) => ({ route, matches: matchesOf(route, conditionIds) }));
  const routes: HttpRoute[] = [];
  const shut: ProbeRequest[] = [];
  for (const request of requests) {
    const left = room - routes.length;
    const rules = overlapping(request, matches, { matchesRegex, room: left });
    const overlaps = rules && close(rules, left);
    if (rules === undefined || overlaps === undefined) {
      shut.push(request);
      continue;
    }
    // The first that a request meets is the one that the proxy would use; equal ranks leave it to the list's order.
    rules.sort((a, b) => compareRanks(b.rank, a.rank) || a.order - b.order);
    for (const overlap of overlaps) {
      const chosen = rules.find(
        (rule) => hostCovers(rule.host, overlap.host) && conditionIds.implies(overlap.values, rule.values),
      );
      routes.push(
        probeRoute(
          request,
          { ...overlap, ...conditionIds.matchOf(overlap.values) },
          { chosen, authorization },
        ),
      );
    }
  }
  return { routes, shut };
};

const probeMeta: Meta = { kind: 'default', name: 'probe' };

const probeRoute = (
  { method, path }: ProbeRequest,
  { host, headers, queryParams }: Pick<Conditions, 'host'> & Pick<HttpMatch, 'headers' | 'queryParams'>,
  {
    chosen,
    authorization,
  }: { readonly chosen: OverlappingRule | undefined; readonly authorization: Authorization },
): HttpRoute => ({
  meta: probeMeta,
  hosts: host === undefined ? [] : [host],
  authorizations: [...(chosen?.authorizations ?? []), authorization],
  rules: [
    {
      matches: [{ path: { kind: 'exact', value: path }, method, headers, queryParams }],
      filters: chosen?.filters.map((filter) => atPath(filter, chosen.match, path)) ?? [],
    },
  ],
});

/** One match of an attached rule; undefined = the rule matches every request. */
interface AttachedMatch {
  readonly match: HttpMatch | undefined;
  readonly values: ValueSet;
  readonly filters: readonly HttpFilter[];
}

const matchesOf = ({ rules }: HttpRoute, conditionIds: ConditionIds): readonly AttachedMatch[] =>
  rules.flatMap(({ matches, filters }): readonly AttachedMatch[] =>
    matches.length === 0
      ? [{ match: undefined, values: noValues, filters }]
      : matches.map((match) => ({ match, values: conditionIds.setOf(match), filters })),
  );

/** One match of an attached rule, under one of its route's hosts, that the probe's request can meet. */
interface OverlappingRule extends Conditions, AttachedMatch {
  readonly values: ValueSet;
  /** The proxy's rank of the attached rule itself, for the probe's path. */
  readonly rank: Rank;
  /** Where it stands in the list, on which ties depend. */
  readonly order: number;
  readonly authorizations: readonly Authorization[];
}

/** Of those with equal conditions only the one that the proxy would choose: the others never are. Undefined when too many. */
const overlapping = (
  { method, path }: ProbeRequest,
  attached: readonly { readonly route: HttpRoute; readonly matches: readonly AttachedMatch[] }[],
  { matchesRegex, room }: ProbeRouteLimits,
): OverlappingRule[] | undefined => {
  const request = { method, target: path, host: undefined, headers: [] };
  const found = new Map<string, OverlappingRule>();
  let order = 0;
  for (const { route, matches } of attached) {
    const best = new Map<string, AttachedMatch & { readonly ofPath: Rank; readonly order: number }>();
    for (const one of matches) {
      const { match, values } = one;
      const ofPath =
        match === undefined
          ? anyHttpRank
          : rankHttp({ ...match, headers: [], queryParams: [] }, request, matchesRegex);
      order += 1;
      if (ofPath === undefined) continue;
      const known = best.get(values.key);
      if (known === undefined || compareRanks(ofPath, known.ofPath) > 0)
        best.set(values.key, { ...one, ofPath, order });
    }
    for (const host of route.hosts.length === 0 ? [undefined] : route.hosts) {
      const ofHost = rankOf(host);
      for (const { ofPath, ...one } of best.values()) {
        const [length = 0, , , ofMethod = 0] = ofPath;
        const { headers = [], queryParams = [] } = one.match ?? {};
        const rank = [...ofHost, length, headers.length, queryParams.length, ofMethod];
        const rule = { ...one, host, rank, authorizations: route.authorizations };
        const known = found.get(keyOf(rule));
        if (known === undefined || compareRanks(rank, known.rank) > 0) found.set(keyOf(rule), rule);
        // Each makes a route at least, beside the one for all other requests.
        if (found.size >= room) return undefined;
      }
    }
  }
  return [...found.values()];
};

/** What the host's pattern counts for, wherever it matches. */
const rankOf = (host: HostMatch | undefined): Rank => {
  if (host === undefined) return [0, 0];
  const sample = host.kind === 'exact' ? host.host : `a.${host.suffix}`;
  return rankHosts([host], { method: '', target: '', headers: [], host: sample }) ?? [0, 0];
};

/** All overlaps: of the probe with each rule, and with whatever several rules have in common; undefined when too many. */
const close = (rules: readonly Conditions[], room: number): readonly Conditions[] | undefined => {
  const anyRequest: Conditions = { host: undefined, values: noValues };
  const overlaps = new Map([[keyOf(anyRequest), anyRequest]]);
  for (const rule of rules) {
    for (const other of [...overlaps.values()]) {
      const common = meet(other, rule);
      if (common !== undefined) overlaps.set(keyOf(common), common);
      if (overlaps.size > room) return undefined;
    }
  }
  return [...overlaps.values()];
};

/**
 * A filter as it acts at the probe's exact path: there is no prefix left that a redirect could replace, and the proxy
 * would answer 500, so the path that it leads to is written out.
 */
const atPath = (filter: HttpFilter, match: HttpMatch | undefined, path: string): HttpFilter => {
  if (filter.kind !== 'redirect' || filter.path?.kind !== 'prefix') return filter;
  if (match?.path !== undefined && match.path.kind !== 'prefix') return filter;
  const prefix = match?.path?.value ?? '/';
  const rest = path.slice(prefix === '/' ? 1 : prefix.replace(/(?<!\/)\/+$/, '').length);
  const slash = rest === '' || rest.startsWith('/') ? '' : '/';
  return { ...filter, path: { kind: 'full', value: `${filter.path.value}${slash}${rest}` } };
};
