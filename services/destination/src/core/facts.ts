import { type KindFacts, kindsOf } from '@gatehouse/core/dependency/kind-facts';

/**
 * Names of the facts that answers are made of. A compiler lists the facts it read; a batch of changes lists the facts
 * it touched; where they meet, an answer is stale. Too many names cost a compile that changes nothing, one too few
 * would leave a client with an old answer.
 */
export const facts = {
  service: (namespace: string, name: string): string => `service/${namespace}/${name}`,
  slices: (namespace: string, service: string): string => `slices/${namespace}/${service}`,
  pod: (namespace: string, name: string): string => `pod/${namespace}/${name}`,
  externalWorkload: (namespace: string, name: string): string => `external-workload/${namespace}/${name}`,
  profile: (namespace: string, name: string): string => `profile/${namespace}/${name}`,
  /** Workloads that carry one pair of a selector: whatever matches the selector carries it. */
  labelled: (namespace: string, key: string, value: string): string => `label/${namespace}/${key}=${value}`,
  servers: (namespace: string): string => `servers/${namespace}`,
  zone: (node: string): string => `zone/${node}`,
  address: (ip: string): string => `address/${ip}`,
};

/** Everything that an answer can be made of, and the only kinds that are watched. */
export const kindFacts = {
  *Service({ meta: { namespace, name }, spec }) {
    yield facts.service(namespace, name);
    for (const ip of spec.clusterIps) yield facts.address(ip);
  },
  *EndpointSlice({ meta: { namespace }, spec }) {
    yield facts.slices(namespace, spec.service);
  },
  *Pod({ meta: { namespace, name, labels }, spec }) {
    yield facts.pod(namespace, name);
    for (const [key, value] of Object.entries(labels)) yield facts.labelled(namespace, key, value);
    for (const ip of spec.ips) yield facts.address(ip);
    for (const ip of spec.hostIps) yield facts.address(ip);
  },
  *ExternalWorkload({ meta: { namespace, name, labels }, spec }) {
    yield facts.externalWorkload(namespace, name);
    for (const [key, value] of Object.entries(labels)) yield facts.labelled(namespace, key, value);
    for (const ip of spec.ips) yield facts.address(ip);
  },
  *ServiceProfile({ meta: { namespace, name } }) {
    yield facts.profile(namespace, name);
  },
  *Server({ meta: { namespace } }) {
    yield facts.servers(namespace);
  },
  *Node({ meta: { name } }) {
    yield facts.zone(name);
  },
} satisfies KindFacts<
  'Service' | 'EndpointSlice' | 'Pod' | 'ExternalWorkload' | 'ServiceProfile' | 'Server' | 'Node'
>;

export type WatchedKind = keyof typeof kindFacts;

export const watchedKinds: readonly WatchedKind[] = kindsOf(kindFacts);
