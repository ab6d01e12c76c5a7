import type { Compiled } from '@gatehouse/core/dependency/answers';
import type { ServiceAuthority } from '@gatehouse/core/mesh/service-authority';
import { type Cluster, keepSame, serversIn } from '../cluster.ts';
import { facts } from '../facts.ts';
import { candidatesOf } from './candidates.ts';
import {
  addressKey,
  atProxy,
  type Candidate,
  type Endpoint,
  type EndpointFacts,
  endpointOf,
} from './endpoint.ts';
import type { TrafficRules } from './filter.ts';

/** Everything behind a name, before anybody in particular asks. */
export type EndpointSet =
  /** No such Service: Get says so and waits for it. */
  | { readonly kind: 'missing' }
  /** An ExternalName Service is an alias in DNS, which Get does not answer for. */
  | { readonly kind: 'external-name' }
  | Endpoints;

export interface Endpoints {
  readonly kind: 'endpoints';
  /** In the order of their keys, the same on every replica. */
  readonly endpoints: readonly Endpoint[];
  readonly rules: TrafficRules;
}

/**
 * Compiles the endpoints of a Service's port, or of one instance of it, in the order of their addresses.
 * `previous` only saves work and bytes: what did not change is the same object again.
 */
export const compileEndpointSet = (
  cluster: Cluster,
  target: ServiceAuthority,
  previous?: EndpointSet,
): Compiled<EndpointSet> => {
  const { namespace, name, port, instance } = target;
  const reads = new Set([facts.service(namespace, name)]);
  const service = cluster.index.get('Service', namespace, name);
  if (service === undefined) return { value: { kind: 'missing' }, reads };
  if (service.spec.type === 'ExternalName') return { value: { kind: 'external-name' }, reads };
  const { mesh, defaultOpaquePorts, ipv6 } = cluster.settings;
  const before = previous?.kind === 'endpoints' ? previous : undefined;
  const servers = serversIn(cluster, reads, namespace);
  const known: EndpointFacts = { mesh, defaultOpaquePorts, servers, labels: {} };
  const old = new Map(before?.endpoints.map((endpoint) => [endpoint.key, endpoint]));
  const chosen = new Map<string, Candidate>();
  for (const found of candidatesOf(cluster, { service, port, reads })) {
    if (instance !== undefined && found.place.hostname !== instance) continue;
    const candidate = atProxy(found, { mesh, ipv6 });
    const key = addressKey(candidate);
    const rival = chosen.get(key);
    if (rival === undefined || displaces(cluster, reads, { candidate, rival })) chosen.set(key, candidate);
  }
  const endpoints = new Map(
    Array.from(chosen, ([key, candidate]) => [key, endpointOf(candidate, known, old.get(key))]),
  );
  const value: Endpoints = {
    kind: 'endpoints',
    endpoints: keepSame(inOrder(endpoints, before?.endpoints ?? []), before?.endpoints),
    rules: {
      local: service.spec.internalTrafficLocal,
      distribution: service.spec.trafficDistribution,
      prefers: ipv6 ? 'IPv6' : 'IPv4',
    },
  };
  return { value: before !== undefined && isSame(before, value) ? before : value, reads };
};

/** Of two that would be shown at one address the one that holds it; else the first, whom TLS then has to confirm. */
const displaces = (
  cluster: Cluster,
  reads: Set<string>,
  { candidate, rival }: { readonly candidate: Candidate; readonly rival: Candidate },
): boolean => {
  if (candidate.workload === rival.workload) return false;
  reads.add(facts.address(candidate.ip));
  const holder = cluster.addresses.pod(candidate.ip);
  return holder.kind === 'pod' && holder.pod === candidate.workload;
};

const isSame = (a: Endpoints, b: Endpoints): boolean =>
  a.endpoints === b.endpoints &&
  a.rules.local === b.rules.local &&
  a.rules.distribution === b.rules.distribution;

/** Sorted by key. What was there before is in order already, so only what is new is sorted, then merged in. */
const inOrder = (
  endpoints: ReadonlyMap<string, Endpoint>,
  before: readonly Endpoint[],
): readonly Endpoint[] => {
  const old = before.flatMap(({ key }) => endpoints.get(key) ?? []);
  const known = new Set(old);
  const fresh = [...endpoints.values()].filter((endpoint) => !known.has(endpoint)).sort(byKey);
  const merged: Endpoint[] = [];
  let next = 0;
  for (const endpoint of old) {
    for (let first = fresh[next]; first !== undefined && byKey(first, endpoint) < 0; first = fresh[next]) {
      merged.push(first);
      next += 1;
    }
    merged.push(endpoint);
  }
  return [...merged, ...fresh.slice(next)];
};

const byKey = (a: Endpoint, b: Endpoint): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
