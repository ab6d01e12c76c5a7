import type { GrpcMatch, RequestHeadersFilter } from '@gatehouse/core/inbound/inbound-server';
import type { Problem } from '@gatehouse/core/problem';
import type { GrpcRouteSpec } from '@gatehouse/core/resources/kinds/gateway';
import { spend } from './budget.ts';
import { describe, type Fields } from './fields.ts';
import { readFilter } from './http-route-filter.ts';
import { readHeaders } from './http-route-match.ts';
import type { Parent } from './http-route-parent.ts';
import { policyParser } from './read.ts';
import { rejectRoute } from './rejected-route.ts';
import { isElsewhere, readHosts, readParents, serversOf, servicesOf } from './route-parents.ts';

type Rule = GrpcRouteSpec['rules'][number];
type Warn = (warning: Problem) => void;

const gateway = 'gateway.networking.k8s.io';

const anyCall: GrpcMatch = { service: '', method: '', headers: [] };

/** What stands for matches that are not written. */
const everyCall: Rule = { matches: [anyCall], filters: [] };

/** As of HTTPRoutes. */
const outboundFields = ['backendRefs', 'sessionPersistence', 'name'] as const;

const serviceName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;
const methodName = /^[A-Za-z_]\w*$/;

const readName = (method: Fields, name: 'service' | 'method', form: RegExp): string => {
  const text = method.text(name);
  if (text === undefined || form.test(text)) return text ?? '';
  method.refuse(
    name,
    `${describe(text)} is not a valid name of a gRPC ${name}`,
    'as in the .proto file, package included',
  );
  return '';
};

/** The wire names a service and a method, and has no regular expressions for them (contract §6.2). */
const readMethod = (method: Fields): Pick<GrpcMatch, 'service' | 'method'> => {
  const type = method.text('type') ?? 'Exact';
  if (type !== 'Exact')
    method.refuse('type', `${describe(type)} cannot be honoured by the proxy`, 'use Exact');
  const service = readName(method, 'service', serviceName);
  const name = readName(method, 'method', methodName);
  method.close();
  if (!method.has('service') && !method.has('method'))
    method.refuseSelf('neither service nor method', 'name one, or remove `method` to match all');
  return { service, method: name };
};

const readMatch = (match: Fields): GrpcMatch => {
  if (!spend(match, 'matches')) return anyCall;
  const method = match.fields('method');
  const named = method === undefined ? { service: '', method: '' } : readMethod(method);
  const headers = readHeaders(match);
  match.close();
  return { ...named, headers };
};

const readRequestFilter = (fields: Fields, warn: Warn): RequestHeadersFilter | undefined => {
  const filter = readFilter(fields, warn);
  if (filter?.kind !== 'redirect') return filter;
  return fields.refuse('type', 'a gRPC call cannot be redirected', 'use RequestHeaderModifier');
};

const readRule = (rule: Fields, warn: Warn): Rule => {
  const matches = rule.eachFields('matches', readMatch) ?? [];
  const filters = rule.eachFields('filters', (filter) => readRequestFilter(filter, warn)) ?? [];
  for (const outbound of outboundFields) rule.has(outbound);
  rule.close();
  return { matches: matches.length === 0 ? everyCall.matches : matches, filters };
};

const elsewhere: GrpcRouteSpec = { servers: [], services: [], hosts: [], rules: [] };

const readSpec = (spec: Fields, parents: readonly Parent[], warn: Warn): GrpcRouteSpec => {
  const hosts = readHosts(spec);
  // Unlike those of an HTTPRoute, no CRD fills in rules that are not written: in Linkerd such a route is about no call.
  const rules = spec.eachFields('rules', (rule) => readRule(rule, warn)) ?? [];
  spec.has('useDefaultGateways');
  spec.close();
  return { servers: serversOf(parents), services: servicesOf(parents), hosts, rules };
};

export const grpcRouteParser = policyParser({
  read: (spec, wire, warn): GrpcRouteSpec => {
    const parents = readParents(spec, { group: gateway, namespace: wire.meta.namespace, refuse: true });
    if (isElsewhere(parents, ['Server', 'Service']) && spec.problems.length === 0) return elsewhere;
    return readSpec(spec, parents ?? [], warn);
  },
  closes: (spec, wire) =>
    rejectRoute(spec, wire, {
      group: gateway,
      everything: everyCall.matches,
      readMatch,
      otherFields: ['filters', ...outboundFields],
    }),
});
