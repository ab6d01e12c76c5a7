import type { HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import type { Problem } from '@gatehouse/core/problem';
import type { RejectedRoute } from '@gatehouse/core/resources/kinds';
import type { HttpRouteSpec } from '@gatehouse/core/resources/kinds/gateway';
import type { Fields } from './fields.ts';
import { readFilter } from './http-route-filter.ts';
import { readMatch } from './http-route-match.ts';
import type { Parent } from './http-route-parent.ts';
import { type PolicyParser, policyParser } from './read.ts';
import { rejectRoute } from './rejected-route.ts';
import { isElsewhere, readHosts, readParents, serversOf, servicesOf } from './route-parents.ts';

type Rule = HttpRouteSpec['rules'][number];

/** What stands for rules or matches that are not written: every request (the CRDs' default). */
const everyRequest: Rule = { matches: [{ headers: [], queryParams: [] }], filters: [] };

/** An inbound route sends nowhere else, and times nothing out. */
const outboundFields = ['backendRefs', 'timeouts', 'retry', 'sessionPersistence', 'name'] as const;

type Warn = (warning: Problem) => void;

const readRule = (rule: Fields, warn: Warn): Rule => {
  const matches = rule.eachFields('matches', readMatch) ?? [];
  const filters = rule.eachFields('filters', (filter) => readFilter(filter, warn)) ?? [];
  for (const outbound of outboundFields) rule.has(outbound);
  rule.close();
  return { matches: matches.length === 0 ? everyRequest.matches : matches, filters };
};

const elsewhere: HttpRouteSpec = { servers: [], services: [], hosts: [], rules: [] };

const readSpec = (spec: Fields, parents: readonly Parent[], warn: Warn): HttpRouteSpec => {
  const hosts = readHosts(spec);
  const rules = spec.eachFields('rules', (rule) => readRule(rule, warn)) ?? [everyRequest];
  spec.has('useDefaultGateways');
  spec.close();
  return { servers: serversOf(parents), services: servicesOf(parents), hosts, rules };
};

/** HTTPRoutes of both groups; `group` is the one whose route it is, since it is the default of `parentRefs[].group`. */
export const httpRouteParser = (
  group: string,
): PolicyParser<HttpRouteSpec, Omit<RejectedRoute<HttpMatch>, 'rejected'>> =>
  policyParser({
    read: (spec, wire, warn): HttpRouteSpec => {
      const parents = readParents(spec, { group, namespace: wire.meta.namespace, refuse: true });
      if (isElsewhere(parents, ['Server', 'Service']) && spec.problems.length === 0) return elsewhere;
      return readSpec(spec, parents ?? [], warn);
    },
    closes: (spec, wire) =>
      rejectRoute(spec, wire, {
        group,
        everything: everyRequest.matches,
        readMatch,
        otherFields: ['filters', ...outboundFields],
      }),
  });
