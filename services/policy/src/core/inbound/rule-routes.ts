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
import type { ProbeRequest } from '@gatehouse/core/mesh/probes';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { type Conjunction, conjunction, conjunctionsOf, finerFirst, withoutCovered } from './conjunction.ts';
import { type ClosureLimits, type ClosureOutcome, MatchClosure } from './match-closure.ts';
import { stepsToWrite, unlimitedSteps } from './row-budgets.ts';

/**
 * Routes made from the `rules` of NetworkAuthenticationPolicies (design §6.4). The proxy uses the authorizations of one
 * rule only, the most specific that matches, but rules are a union over policies; so every conjunction of them gets a
 * route of its own that carries the authorizations of all policies behind it.
 */
export interface RulePolicy {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly allowUnnormalizedPaths: boolean;
  /** Found out only if the port has room for them. */
  readonly grants: () => { readonly authorizations: readonly Authorization[]; readonly steps: number };
}

export interface OpenProbes {
  readonly requests: readonly ProbeRequest[];
  readonly authorization: Authorization;
}

export interface RuleRoutes<Route> {
  readonly routes: readonly Route[];
  readonly leftOut: LeftOut;
}

/** The policies, the newest, whose rules grant nothing, and what the first of them had no room for. */
export interface LeftOut {
  readonly names: ReadonlySet<string>;
  readonly lacking: 'nothing' | Exclude<ClosureOutcome, 'fits'>;
}

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

/** When the guard of unnormalised paths stands before rules. */
export type Guard = 'always' | 'where-rules-name-paths';

/** A guard is needed where a rule names a path, unless every policy with rules on the port declines it. */
const needsGuard = (policies: readonly RulePolicy[], guard: Guard): boolean =>
  guard === 'always' ||
  (policies.some(({ rules }) => rules.some(({ paths }) => paths !== undefined)) &&
    !policies.every(({ allowUnnormalizedPaths }) => allowUnnormalizedPaths));

interface RuleContext {
  readonly guard: Guard;
  readonly probes: OpenProbes | undefined;
  readonly matchesRegex: RegexMatcher;
  /** `limit` is of all routes that rules make, those that Gatehouse adds included: independent header conditions multiply. */
  readonly room: ClosureLimits;
}

/** For ports that speak HTTP/1, HTTP/2 or are detected; `policies` oldest first. */
export const httpRuleRoutes = (
  policies: readonly RulePolicy[],
  { guard: when, probes, matchesRegex, room: { limit, steps } }: RuleContext,
): RuleRoutes<HttpRoute> => {
  const guard = needsGuard(policies, when) ? [guardRoute] : [];
  // A probe of an unnormalised path stays open, but rules reach such a path no more than without the probe.
  const isGuarded = ({ path }: ProbeRequest): boolean =>
    guard.length > 0 && matchesRegex(unnormalizedPath, path);
  const owners: Owner[] = policies.map((policy) => ownerOf(policy, requestsOf(limit)));
  const loneProbes: HttpRoute[] = [];
  if (probes !== undefined) {
    const conjunctionsOfProbes = (requests: readonly ProbeRequest[]): readonly Conjunction[] =>
      requests.map(({ method, path }) => conjunction({ kind: 'exact', value: path }, method, []));
    const authorizations = [probes.authorization];
    const owner = {
      meta: named('probe'),
      grants: () => ({ authorizations, steps: stepsToWrite(authorizations) }),
    };
    const free = probes.requests.filter((request) => !isGuarded(request));
    const wanted = conjunctionsOfProbes(free);
    owners.unshift({ ...owner, conjunctions: () => wanted });
    for (const match of conjunctionsOfProbes(probes.requests.filter(isGuarded)))
      loneProbes.push(httpRoute({ match, owners: [{ ...owner, conjunctions: () => [match] }] }));
  }
  const { members, leftOut } = close(owners, {
    limit: limit - guard.length - loneProbes.length - 1,
    steps,
  });
  return { routes: [...guard, ...loneProbes, ...members.map(httpRoute), catchAllRoute], leftOut };
};

/** Whom a match stands for: one policy, or the probes. */
interface Owner {
  readonly meta: Meta;
  readonly grants: RulePolicy['grants'];
  /** None of them covers another; undefined = they are too many for any port. Found out only if the port has room. */
  readonly conjunctions: () => readonly Conjunction[] | undefined;
}

interface Member {
  readonly match: Conjunction;
  readonly owners: readonly Owner[];
}

const ownerOf = (
  { name, rules, grants }: RulePolicy,
  readable: (rules: readonly PolicyRule[]) => ReturnType<Owner['conjunctions']>,
): Owner => ({ meta: policyMeta(name), grants, conjunctions: () => readable(rules) });

export const policyMeta = (name: string): Meta => ({
  kind: 'resource',
  resource: { group: 'policy.linkerd.io', kind: 'networkauthenticationpolicy', name },
});

function* alternatives(rules: readonly PolicyRule[]): Generator<Conjunction> {
  for (const rule of rules) yield* conjunctionsOf(rule);
}

/** What a policy's rules say depends on them alone, so it is worked out once, not for each port of each class of pods. */
const oncePerPolicy = (
  read: (rules: readonly PolicyRule[]) => Iterable<Conjunction>,
): ((limit: number) => (rules: readonly PolicyRule[]) => ReturnType<Owner['conjunctions']>) => {
  const known = new WeakMap<readonly PolicyRule[], Known>();
  return (limit) => (rules) => {
    let found = known.get(rules);
    if (found?.limit !== limit) found = { limit, conjunctions: withoutCovered(read(rules), limit) };
    known.set(rules, found);
    return found.conjunctions;
  };
};

interface Known {
  readonly limit: number;
  readonly conjunctions: ReturnType<Owner['conjunctions']>;
}

const requestsOf = oncePerPolicy(alternatives);

/** Closes the conjunctions of as many owners, in order, as fit; each member says who stands behind it. */
const close = (
  owners: readonly Owner[],
  limits: ClosureLimits,
): { readonly members: readonly Member[]; readonly leftOut: LeftOut } => {
  const { closure, taken, lacking } = closeFirst(owners, limits);
  const members = Array.from(closure.members(), ({ match, owners: behind }) => ({
    match,
    owners: behind.flatMap((at) => owners[at] ?? []),
  }));
  members.sort((a, b) =>
    finerFirst({ match: a.match, owners: a.owners.length }, { match: b.match, owners: b.owners.length }),
  );
  const names = new Set(owners.slice(taken).map(({ meta }) => nameOf(meta)));
  return { members, leftOut: { names, lacking } };
};

const closeFirst = (
  owners: readonly Owner[],
  limits: ClosureLimits,
): { readonly closure: MatchClosure; readonly taken: number; readonly lacking: LeftOut['lacking'] } => {
  const closure = new MatchClosure(limits);
  for (const [taken, { conjunctions, grants }] of owners.entries()) {
    const own = conjunctions();
    const outcome = own === undefined ? 'too-many-matches' : closure.add(own, grants().steps);
    if (outcome === 'fits') continue;
    // Those before it have been shown to fit, and their steps are counted.
    const fitting = closeFirst(owners.slice(0, taken), { ...limits, steps: unlimitedSteps() });
    return { ...fitting, lacking: outcome };
  }
  return { closure, taken: owners.length, lacking: 'nothing' };
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
    headers: headers.all.map(({ name, value }) => ({ name, kind: 'exact', value })),
    queryParams: [],
  };
  return {
    meta: metaOf(owners),
    hosts: [],
    authorizations: owners.flatMap(({ grants }) => grants().authorizations),
    rules: [{ matches: [match], filters: [] }],
  };
};

/** What a gRPC port can make of a rule: undefined when no call can match it. Calls are POST /service/method. */
const asCall = ({ path, method, headers }: Conjunction): Conjunction | undefined => {
  if (method !== undefined && method !== 'POST') return undefined;
  if (path === undefined) return conjunction(undefined, undefined, headers.all);
  const [, service, call, ...rest] = path.value.split('/');
  if (service === undefined || service === '' || rest.length > 0) return undefined;
  if (call !== undefined && call !== '') {
    return conjunction({ kind: 'exact', value: `/${service}/${call}` }, undefined, headers.all);
  }
  return path.kind === 'exact'
    ? undefined
    : conjunction({ kind: 'prefix', value: `/${service}` }, undefined, headers.all);
};

/** Whether a gRPC port can express no alternative of the rule. */
export const neverMatchesCalls = (rule: PolicyRule): boolean => {
  for (const one of conjunctionsOf(rule)) if (asCall(one) !== undefined) return false;
  return true;
};

const callsOf = oncePerPolicy(function* (rules) {
  for (const one of alternatives(rules)) {
    const call = asCall(one);
    if (call !== undefined) yield call;
  }
});

export const catchAllGrpcRoute: GrpcRoute = {
  meta: named('default'),
  hosts: [],
  authorizations: [],
  rules: [{ matches: [], filters: [] }],
};

/** For gRPC Servers: the same closure over services and methods. gRPC routes have no regular expressions, so no guard. */
export const grpcRuleRoutes = (
  policies: readonly RulePolicy[],
  { limit, steps }: ClosureLimits,
): RuleRoutes<GrpcRoute> => {
  const owners = policies.map((policy) => ownerOf(policy, callsOf(limit)));
  const { members, leftOut } = close(owners, { limit: limit - 1, steps });
  return { routes: [...members.map(grpcRoute), catchAllGrpcRoute], leftOut };
};

const grpcRoute = ({ match: { path, headers }, owners }: Member): GrpcRoute => {
  const [, service = '', method = ''] = path?.value.split('/') ?? [];
  const match: GrpcMatch = {
    service,
    method,
    headers: headers.all.map(({ name, value }) => ({ name, kind: 'exact', value })),
  };
  return {
    meta: metaOf(owners),
    hosts: [],
    authorizations: owners.flatMap(({ grants }) => grants().authorizations),
    rules: [{ matches: [match], filters: [] }],
  };
};
