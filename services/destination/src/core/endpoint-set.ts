import { candidatesOf } from './candidates.ts';
import type { Cluster, Compiled } from './cluster.ts';
import { addressKey, type Endpoint, type EndpointFacts, endpointOf, show } from './endpoint.ts';
import { facts } from './facts.ts';
import type { TrafficRules } from './filter.ts';
import type { NameTarget } from './target.ts';

/** Everything behind a name, before anybody in particular asks. */
export type EndpointSet =
  /** No such Service: Get says so and waits for it. */
  | { readonly kind: 'missing' }
  /** An ExternalName Service is an alias in DNS, which Get does not answer for. */
  | { readonly kind: 'external-name' }
  | { readonly kind: 'endpoints'; readonly endpoints: readonly Endpoint[]; readonly rules: TrafficRules };

/**
 * Compiles the endpoints of a Service's port, or of one instance of it, in the order of their addresses.
 * `previous` only saves work and bytes: what did not change is the same object again.
 */
export const compileEndpointSet = (
  cluster: Cluster,
  target: NameTarget,
  previous?: EndpointSet,
): Compiled<EndpointSet> => {
  const { namespace, name, port, instance } = target;
  const reads = new Set([facts.service(namespace, name)]);
  const service = cluster.index.get('Service', namespace, name);
  if (service === undefined) return { value: { kind: 'missing' }, reads };
  if (service.spec.type === 'ExternalName') return { value: { kind: 'external-name' }, reads };
  reads.add(facts.servers(namespace));
  const { mesh, defaultOpaquePorts } = cluster.settings;
  const servers = [...cluster.index.in('Server', namespace).values()];
  const known: EndpointFacts = { mesh, defaultOpaquePorts, servers };
  const before = endpointsByKey(previous);
  const endpoints = new Map<string, Endpoint>();
  for (const candidate of candidatesOf(cluster, { service, port, reads })) {
    const key = addressKey(candidate);
    if (endpoints.has(key) || (instance !== undefined && candidate.place.hostname !== instance)) continue;
    endpoints.set(key, endpointOf(candidate, show(candidate, known), before.get(key)));
  }
  const rules: TrafficRules = {
    local: service.spec.internalTrafficLocal,
    distribution: service.spec.trafficDistribution,
  };
  const sorted = [...endpoints.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const value: EndpointSet = { kind: 'endpoints', endpoints: sorted, rules };
  return { value: previous !== undefined && isSame(previous, value) ? previous : value, reads };
};

const isSame = (a: EndpointSet, b: EndpointSet): boolean =>
  a.kind === 'endpoints' &&
  b.kind === 'endpoints' &&
  a.rules.local === b.rules.local &&
  a.rules.distribution === b.rules.distribution &&
  a.endpoints.length === b.endpoints.length &&
  a.endpoints.every((endpoint, index) => endpoint === b.endpoints[index]);

const endpointsByKey = (set: EndpointSet | undefined): ReadonlyMap<string, Endpoint> =>
  new Map(set?.kind === 'endpoints' ? set.endpoints.map((endpoint) => [endpoint.key, endpoint]) : []);
