import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';

/**
 * Names of the facts that answers are made of. A compiler lists the facts it read; a batch of changes lists the facts
 * it touched; where they meet, an answer is stale. Too many names cost a compile that changes nothing, one too few
 * would leave a client with an old answer.
 */
export const facts = {
  service: (namespace: string, name: string): string => `service/${namespace}/${name}`,
  slices: (namespace: string, service: string): string => `slices/${namespace}/${service}`,
  pod: (namespace: string, name: string): string => `pod/${namespace}/${name}`,
  /** Pods that carry one pair of a selector: whatever matches the selector carries it. */
  labelled: (namespace: string, key: string, value: string): string => `label/${namespace}/${key}=${value}`,
  servers: (namespace: string): string => `servers/${namespace}`,
  zone: (node: string): string => `zone/${node}`,
  address: (ip: string): string => `address/${ip}`,
};

/** The facts that a batch changed. */
export const touchedFacts = (touched: readonly Touched[]): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { before, after } of touched) {
    for (const object of [before, after]) {
      if (object !== undefined) nameFacts(object as AnyObject, names);
    }
  }
  return names;
};

/** The union over kinds, so that `kind` narrows `spec`. */
type AnyObject = { [K in Kind]: KubeObject<K> }[Kind];

const nameFacts = (object: AnyObject, names: Set<string>): void => {
  const { namespace, name, labels } = object.meta;
  switch (object.kind) {
    case 'Service':
      names.add(facts.service(namespace, name));
      for (const ip of object.spec.clusterIps) names.add(facts.address(ip));
      break;
    case 'EndpointSlice':
      names.add(facts.slices(namespace, object.spec.service));
      break;
    case 'Pod':
      names.add(facts.pod(namespace, name));
      for (const [key, value] of Object.entries(labels)) names.add(facts.labelled(namespace, key, value));
      for (const ip of object.spec.ips) names.add(facts.address(ip));
      for (const ip of object.spec.hostIps) names.add(facts.address(ip));
      break;
    case 'Server':
      names.add(facts.servers(namespace));
      break;
    case 'Node':
      names.add(facts.zone(name));
      break;
    default:
      // Other kinds are in no answer; if one ever is, its compiler has to name what it reads here.
      break;
  }
};
