import type {
  Authorization,
  GrpcMatch,
  GrpcRoute,
  HttpMatch,
  HttpRoute,
  Meta,
} from '@gatehouse/core/inbound/inbound-server';
import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import {
  type Conjunction,
  conjunction,
  conjunctionsOf,
  covers,
  finerFirst,
  MatchClosure,
  withoutCovered,
} from './match-closure.ts';
import type { ProbeRequest } from './probes.ts';

/**
 * Routes made from the `rules` of NetworkAuthenticationPolicies (design §6.4). The proxy uses the authorizations of one
 * rule only, the most specific that matches, but rules are a union over policies; so every conjunction of them gets a
 * route of its own that carries the authorizations of all policies behind it.
 */
export interface RulePolicy {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly allowUnnormalizedPaths: boolean;
  readonly authorizations: readonly Authorization[];
}

export interface OpenProbes {
  readonly requests: readonly ProbeRequest[];
  readonly authorization: Authorization;
}

export interface RuleRoutes<Route> {
  readonly routes: readonly Route[];
  /** Names of the policies, the newest, whose rules no longer fit and grant nothing. */
  readonly leftOut: readonly string[];
}

/** Per port, of everything that rules make: independent header conditions multiply. */
export const maxMatches = 256;

const named = (name: string): Meta => ({ kind: 'default', name });

/** What nobody mentioned has a route, so that it is 403 and not 404, and so that grants without rules hold. */
export const catchAllRoute: HttpRoute = {
  meta: named('default'),
  hosts: [],
  authorizations: [],
  rules: [{ matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], queryParams: [] }], filters: [] }],
};

/** It matches the whole path, so it is longer than any prefix that matches; no rule may name such a path. */
const guardRoute: HttpRoute = {
  meta: named('unnormalized-path'),
  hosts: [],
  authorizations: [],
  rules: [
    {
      matches: [{ path: { kind: 'regex', value: unnormalizedPath }, headers: [], queryParams: [] }],
      filters: [],
    },
  ],
};

/** A guard is needed where a rule names a path, unless every policy with rules on the port declines it. */
const needsGuard = (policies: readonly RulePolicy[]): boolean =>
  policies.some(({ rules }) => rules.some(({ paths }) => paths !== undefined)) &&
  !policies.every(({ allowUnnormalizedPaths }) => allowUnnormalizedPaths);

/** For ports that speak HTTP/1, HTTP/2 or are detected; `policies` oldest first. */
export const httpRuleRoutes = (
  policies: readonly RulePolicy[],
  probes: OpenProbes | undefined,
  matchesRegex: RegexMatcher,
): RuleRoutes<HttpRoute> => {
  const guard = needsGuard(policies) ? [guardRoute] : [];
  // A probe of an unnormalised path stays open, but rules reach such a path no more than without the probe.
  const isGuarded = ({ path }: ProbeRequest): boolean =>
    guard.length > 0 && matchesRegex(unnormalizedPath, path);
  const owners: Owner[] = policies.map(ownerOf);
  const loneProbes: HttpRoute[] = [];
  if (probes !== undefined) {
    const owner = (requests: readonly ProbeRequest[]): Owner => ({
      meta: named('probe'),
      authorizations: [probes.authorization],
      conjunctions: requests.map(({ method, path }) =>
        conjunction({ kind: 'exact', value: path }, method, []),
      ),
    });
    owners.unshift(owner(probes.requests.filter((request) => !isGuarded(request))));
    const guarded = owner(probes.requests.filter(isGuarded));
    for (const match of guarded.conjunctions) loneProbes.push(httpRoute({ match, owners: [guarded] }));
  }
  const { members, leftOut } = close(owners, maxMatches - guard.length - loneProbes.length - 1);
  return { routes: [...guard, ...loneProbes, ...members.map(httpRoute), catchAllRoute], leftOut };
};

/** Whom a match stands for: one policy, or the probes. */
interface Owner {
  readonly meta: Meta;
  readonly authorizations: readonly Authorization[];
  readonly conjunctions: Iterable<Conjunction>;
}

interface Member {
  readonly match: Conjunction;
  readonly owners: readonly Owner[];
}

const ownerOf = ({ name, rules, authorizations }: RulePolicy): Owner => ({
  meta: policyMeta(name),
  authorizations,
  conjunctions: alternatives(rules),
});

export const policyMeta = (name: string): Meta => ({
  kind: 'resource',
  resource: { group: 'policy.linkerd.io', kind: 'networkauthenticationpolicy', name },
});

function* alternatives(rules: readonly PolicyRule[]): Generator<Conjunction> {
  for (const rule of rules) yield* conjunctionsOf(rule);
}

/** Closes the conjunctions of as many owners, in order, as fit; each member says who stands behind it. */
const close = (
  owners: readonly Owner[],
  limit: number,
): { readonly members: readonly Member[]; readonly leftOut: readonly string[] } => {
  let closure = new MatchClosure();
  const taken: (Owner & { readonly conjunctions: readonly Conjunction[] })[] = [];
  for (const owner of owners) {
    const conjunctions = withoutCovered(owner.conjunctions, limit);
    const next = conjunctions && closure.with(conjunctions, limit);
    if (conjunctions === undefined || next === undefined) break;
    closure = next;
    taken.push({ ...owner, conjunctions });
  }
  const members = closure.members.map((match) => ({
    match,
    owners: taken.filter(({ conjunctions }) => conjunctions.some((outer) => covers(outer, match))),
  }));
  members.sort((a, b) =>
    finerFirst({ match: a.match, owners: a.owners.length }, { match: b.match, owners: b.owners.length }),
  );
  const leftOut = owners.slice(taken.length).map(({ meta }) => nameOf(meta));
  return { members, leftOut };
};

const nameOf = (meta: Meta): string => (meta.kind === 'resource' ? meta.resource.name : meta.name);

const isProbe = ({ meta }: Owner): boolean => meta.kind === 'default';

const metaOf = (owners: readonly Owner[]): Meta => {
  const [only] = owners;
  if (only !== undefined && owners.length === 1) return only.meta;
  return named(owners.some(isProbe) ? 'probe' : 'rules');
};

const httpRoute = ({ match: { path, method, headers }, owners }: Member): HttpRoute => {
  const match: HttpMatch = {
    ...(path === undefined ? {} : { path }),
    ...(method === undefined ? {} : { method }),
    headers: headers.map(({ name, value }) => ({ name, kind: 'exact', value })),
    queryParams: [],
  };
  return {
    meta: metaOf(owners),
    hosts: [],
    authorizations: owners.flatMap(({ authorizations }) => authorizations),
    rules: [{ matches: [match], filters: [] }],
  };
};

/** What a gRPC port can make of a rule: undefined when no call can match it. Calls are POST /service/method. */
const asCall = ({ path, method, headers }: Conjunction): Conjunction | undefined => {
  if (method !== undefined && method !== 'POST') return undefined;
  if (path === undefined) return conjunction(undefined, undefined, headers);
  const [, service, call, ...rest] = path.value.split('/');
  if (service === undefined || service === '' || rest.length > 0) return undefined;
  if (call !== undefined && call !== '') {
    return conjunction({ kind: 'exact', value: `/${service}/${call}` }, undefined, headers);
  }
  return path.kind === 'exact'
    ? undefined
    : conjunction({ kind: 'prefix', value: `/${service}` }, undefined, headers);
};

/** Whether a gRPC port can express no alternative of the rule. */
export const neverMatchesCalls = (rule: PolicyRule): boolean => {
  for (const one of conjunctionsOf(rule)) if (asCall(one) !== undefined) return false;
  return true;
};

function* calls(conjunctions: Iterable<Conjunction>): Generator<Conjunction> {
  for (const one of conjunctions) {
    const call = asCall(one);
    if (call !== undefined) yield call;
  }
}

export const catchAllGrpcRoute: GrpcRoute = {
  meta: named('default'),
  hosts: [],
  authorizations: [],
  rules: [{ matches: [], filters: [] }],
};

/** For gRPC Servers: the same closure over services and methods. gRPC routes have no regular expressions, so no guard. */
export const grpcRuleRoutes = (policies: readonly RulePolicy[]): RuleRoutes<GrpcRoute> => {
  const owners = policies.map((policy): Owner => {
    const owner = ownerOf(policy);
    return { ...owner, conjunctions: calls(owner.conjunctions) };
  });
  const { members, leftOut } = close(owners, maxMatches - 1);
  return { routes: [...members.map(grpcRoute), catchAllGrpcRoute], leftOut };
};

const grpcRoute = ({ match: { path, headers }, owners }: Member): GrpcRoute => {
  const [, service = '', method = ''] = path?.value.split('/') ?? [];
  const match: GrpcMatch = {
    service,
    method,
    headers: headers.map(({ name, value }) => ({ name, kind: 'exact', value })),
  };
  return {
    meta: metaOf(owners),
    hosts: [],
    authorizations: owners.flatMap(({ authorizations }) => authorizations),
    rules: [{ matches: [match], filters: [] }],
  };
};
