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
import { type Steps, stepsToWrite } from './row-budgets.ts';
import type { OpenProbes } from './rule-routes.ts';

export interface ProbeRouteLimits {
  readonly matchesRegex: RegexMatcher;
  /** How many routes the probes of the port may make together. */
  readonly room: number;
  readonly steps: Steps;
}

export interface ProbeRoutes {
  readonly routes: readonly HttpRoute[];
  /** Probes that attached rules overlap with in more ways than there is room for, or than may be looked at; they stay shut. */
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
  { matchesRegex, room, steps }: ProbeRouteLimits,
): ProbeRoutes => {
  if (requests.length === 0) return { routes: [], shut: [] };
  const conditionIds = new ConditionIds();
  const rulesOf = attachedRules(attached, requests, { conditionIds, matchesRegex, steps });
  if (rulesOf === undefined) return { routes: [], shut: requests };
  const routes: HttpRoute[] = [];
  const shut: ProbeRequest[] = [];
  for (const [at, request] of requests.entries()) {
    const left = room - routes.length;
    const rules = overlapping(at, rulesOf, { room: left, steps });
    const overlaps = rules && close(rules, { room: left, steps });
    const made = overlaps && routesOf({ request, authorization, rules, overlaps }, { conditionIds, steps });
    if (made === undefined) shut.push(request);
    else routes.push(...made);
  }
  return { routes, shut };
};

interface OpenProbe {
  readonly request: ProbeRequest;
  readonly authorization: Authorization;
  /** What the attached rules ask of the probe's request. */
  readonly rules: OverlappingRule[];
  readonly overlaps: readonly Conditions[];
}

/** A route for each overlap; undefined when they cost too many steps. */
const routesOf = (
  { request, authorization, rules, overlaps }: OpenProbe,
  { conditionIds, steps }: { readonly conditionIds: ConditionIds; readonly steps: Steps },
): readonly HttpRoute[] | undefined => {
  const routes: HttpRoute[] = [];
  // The first that a request meets is the one that the proxy would use; equal ranks leave it to the list's order.
  rules.sort((a, b) => compareRanks(b.rank, a.rank) || a.order - b.order);
  for (const overlap of overlaps) {
    const at = rules.findIndex(
      (rule) => hostCovers(rule.host, overlap.host) && conditionIds.implies(overlap.values, rule.values),
    );
    const chosen = rules[at];
    const looked = at < 0 ? rules.length : at + 1;
    const written = stepsToWrite([...(chosen?.authorizations ?? []), authorization]);
    if (!steps.take(looked + stepsOf(overlap) + written)) return undefined;
    const conditions = { ...overlap, ...conditionIds.matchOf(overlap.values) };
    routes.push(probeRoute(request, conditions, { chosen, authorization }));
  }
  return routes;
};

/** To look at each of its conditions. */
const stepsOf = ({ values }: { readonly values: ValueSet }): number => 1 + values.ids.length;

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
  /** What its path and method count for each of the probes, in their order; undefined for those that it does not match. */
  readonly ranks: readonly (Rank | undefined)[];
}

/** One match of an attached rule, under one of its route's hosts, that the probe's request can meet. */
interface OverlappingRule extends Conditions, AttachedMatch {
  readonly values: ValueSet;
  /** The proxy's rank of the attached rule itself, for the probe's path. */
  readonly rank: Rank;
  /** Where it stands in the list, on which ties depend. */
  readonly order: number;
  readonly authorizations: readonly Authorization[];
}

/** The matches of an attached route, and what each of its hosts counts for. */
interface AttachedRules {
  readonly route: HttpRoute;
  readonly matches: readonly AttachedMatch[];
  readonly hosts: readonly { readonly host: HostMatch | undefined; readonly ofHost: Rank }[];
}

interface LookContext {
  readonly conditionIds: ConditionIds;
  readonly matchesRegex: RegexMatcher;
  readonly steps: Steps;
}

/** Holds each match against all probes before the next, since a regular expression may have to be compiled; undefined when it costs too much. */
const attachedRules = (
  attached: readonly HttpRoute[],
  requests: readonly ProbeRequest[],
  { conditionIds, matchesRegex, steps }: LookContext,
): readonly AttachedRules[] | undefined => {
  const targets = requests.map(({ method, path }) => ({
    method,
    target: path,
    host: undefined,
    headers: [],
  }));
  const found: AttachedRules[] = [];
  for (const route of attached) {
    const looked: AttachedMatch[] = [];
    for (const { matches, filters } of route.rules) {
      for (const match of matches.length === 0 ? [undefined] : matches) {
        if (!steps.take(stepsToMatch(match, requests))) return undefined;
        const plain = match && { ...match, headers: [], queryParams: [] };
        const ranks = targets.map((target) =>
          plain === undefined ? anyHttpRank : rankHttp(plain, target, matchesRegex),
        );
        looked.push({
          match,
          values: match === undefined ? noValues : conditionIds.setOf(match),
          filters,
          ranks,
        });
      }
    }
    const hosts = route.hosts.length === 0 ? [undefined] : route.hosts;
    found.push({ route, matches: looked, hosts: hosts.map((host) => ({ host, ofHost: rankOf(host) })) });
  }
  return found;
};

/** To number a condition takes about as long as eight comparisons, to compile a regular expression about as long as 2,000 and 80 for each character, to run it one for 50 pairs of characters. */
const stepsToMatch = (match: HttpMatch | undefined, requests: readonly ProbeRequest[]): number => {
  const conditions = 1 + 8 * ((match?.headers.length ?? 0) + (match?.queryParams.length ?? 0));
  if (match?.path?.kind !== 'regex') return conditions + requests.length;
  const { length } = match.path.value;
  const pairs = requests.reduce((sum, { path }) => sum + length * (path.length + 1), 0);
  return conditions + requests.length + 2_000 + 80 * length + Math.ceil(pairs / 50);
};

/** Of those with equal conditions only the one that the proxy would choose: the others never are. Undefined when too many. */
const overlapping = (
  request: number,
  attached: readonly AttachedRules[],
  { room, steps }: Pick<ProbeRouteLimits, 'room' | 'steps'>,
): OverlappingRule[] | undefined => {
  const found = new Map<string, OverlappingRule>();
  let order = 0;
  for (const { route, matches, hosts } of attached) {
    if (!steps.take(matches.length)) return undefined;
    const best = new Map<string, AttachedMatch & { readonly ofPath: Rank; readonly order: number }>();
    for (const one of matches) {
      const { values, ranks } = one;
      const ofPath = ranks[request];
      order += 1;
      if (ofPath === undefined) continue;
      const known = best.get(values.key);
      if (known === undefined || compareRanks(ofPath, known.ofPath) > 0)
        best.set(values.key, { ...one, ofPath, order });
    }
    for (const { host, ofHost } of hosts) {
      if (!steps.take(1 + 5 * best.size)) return undefined;
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

/** All overlaps: of the probe with each rule, and with whatever several rules have in common; undefined when they are too many or cost too much. */
const close = (
  rules: readonly Conditions[],
  { room, steps }: { readonly room: number; readonly steps: Steps },
): readonly Conditions[] | undefined => {
  const anyRequest: Conditions = { host: undefined, values: noValues };
  const overlaps = new Map([[keyOf(anyRequest), anyRequest]]);
  for (const rule of rules) {
    for (const other of [...overlaps.values()]) {
      // To join them, and to find out whether that is known, takes four times as long as to compare them.
      if (!steps.take(4 * (stepsOf(other) + stepsOf(rule)))) return undefined;
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
