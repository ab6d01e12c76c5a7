import type { Problem } from '../../core/problem.ts';
import type { HttpRouteSpec } from '../kinds.ts';
import { describe, type Fields, readable } from './fields.ts';
import { readFilter } from './http-route-filter.ts';
import { readMatch } from './http-route-match.ts';
import { type Parent, type RouteContext, readParent } from './http-route-parent.ts';
import { closesNothing, type PolicyDoor, policyDoor } from './read.ts';

type Rule = HttpRouteSpec['rules'][number];

/** What stands for rules or matches that are not written: every request (the CRDs' default). */
const everyRequest: Rule = { matches: [{ headers: [], queryParams: [] }], filters: [] };

const hostname = /^(?:\*\.)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

const readHosts = (spec: Fields): readonly string[] =>
  spec.each('hostnames', (value, item) =>
    typeof value === 'string' && value.length <= 253 && hostname.test(value)
      ? value
      : spec.refuse(item, `${describe(value)} is no host name`, 'a lower-case DNS name, or one after `*.`'),
  ) ?? [];

type Warn = (warning: Problem) => void;

const readRule = (rule: Fields, warn: Warn): Rule => {
  const matches = rule.eachFields('matches', readMatch) ?? [];
  const filters = rule.eachFields('filters', (filter) => readFilter(filter, warn)) ?? [];
  // Outbound only: an inbound route sends nowhere else, and times nothing out.
  for (const outbound of ['backendRefs', 'timeouts', 'retry', 'sessionPersistence', 'name'])
    rule.has(outbound);
  rule.close();
  return { matches: matches.length === 0 ? everyRequest.matches : matches, filters };
};

const readParents = (spec: Fields, route: RouteContext): readonly Parent[] | undefined =>
  spec.eachFields('parentRefs', (ref) => readParent(ref, route));

const serversOf = (parents: readonly Parent[]): readonly string[] => [
  ...new Set(parents.flatMap((parent) => (parent.kind === 'Server' ? [parent.name] : []))),
];

/** A route whose parents are all somebody else's, an ingress for instance, is not ours to judge. */
const elsewhere: HttpRouteSpec = { servers: [], services: [], hosts: [], rules: [] };

const readSpec = (spec: Fields, parents: readonly Parent[], warn: Warn): HttpRouteSpec => {
  const hosts = readHosts(spec);
  const rules = spec.eachFields('rules', (rule) => readRule(rule, warn)) ?? [everyRequest];
  spec.has('useDefaultGateways');
  spec.close();
  const services = parents.flatMap((parent) =>
    parent.kind === 'Service'
      ? [
          {
            namespace: parent.namespace,
            name: parent.name,
            ...(parent.port === undefined ? {} : { port: parent.port }),
          },
        ]
      : [],
  );
  return { servers: serversOf(parents), services, hosts, rules };
};

/**
 * HTTPRoutes of both groups; `group` is the one whose route it is, since it is the default of `parentRefs[].group`.
 * A rejected one stays attached to its Servers without rules; if its parents are not readably there, to all Servers of
 * its namespace.
 */
export const httpRouteDoor = (group: string): PolicyDoor<HttpRouteSpec> =>
  policyDoor<HttpRouteSpec>({
    read: (spec, wire, warn) => {
      const parents = readParents(spec, { group, namespace: wire.meta.namespace, refuse: true });
      const ours =
        parents === undefined || parents.length === 0 || parents.some(({ kind }) => kind !== 'other');
      if (!ours && spec.problems.length === 0) return elsewhere;
      return readSpec(spec, parents ?? [], warn);
    },
    closes: (spec, wire) => {
      const parents = readable(spec, (alone) =>
        readParents(alone, { group, namespace: wire.meta.namespace, refuse: false }),
      );
      return { ...closesNothing, attachedTo: parents === undefined ? 'all' : serversOf(parents) };
    },
  });
