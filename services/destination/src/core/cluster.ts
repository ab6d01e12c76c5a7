import type { AddressIndex } from '@gatehouse/core/mesh/address-index';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { PortSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { facts } from './facts.ts';

/** What is known of the cluster when an answer is compiled. */
export interface Cluster {
  readonly index: ResourceIndex;
  /** Kept in step with `index` by the code that applies changes. */
  readonly addresses: AddressIndex;
  readonly settings: ClusterSettings;
}

export interface ClusterSettings {
  readonly mesh: Mesh;
  readonly clusterDomain: string;
  readonly defaultOpaquePorts: PortSet;
  /** Whether proxies listen on IPv6 too where their pod does not say; dual-stack pods are then given by it. */
  readonly ipv6: boolean;
  /**
   * Where the endpoints of a Service come from: `written`, from EndpointSlices alone, which a cluster's controllers write; or
   * `derived` from its selector where it has none, since a folder of manifests has no controller.
   */
  readonly slices: 'written' | 'derived';
}

/** The zone of a node by its label; '' where nobody says. */
export const zoneOfNode = (cluster: Cluster, reads: Set<string>, node: string): string => {
  if (node === '') return '';
  reads.add(facts.zone(node));
  return cluster.index.get('Node', '', node)?.spec.zone ?? '';
};

type Servers = readonly KubeObject<'Server'>[];
const lists = new WeakMap<ResourceIndex, Map<string, Servers>>();

/** The Servers of a namespace; the same list for as long as they are the same, so that nobody looks at them one by one. */
export const serversIn = ({ index }: Cluster, reads: Set<string>, namespace: string): Servers => {
  reads.add(facts.servers(namespace));
  let known = lists.get(index);
  if (known === undefined) {
    known = new Map();
    lists.set(index, known);
  }
  const servers = keepSame([...index.in('Server', namespace).values()], known.get(namespace));
  if (servers.length === 0) known.delete(namespace);
  else known.set(namespace, servers);
  return servers.length === 0 ? none : servers;
};

const none: Servers = Object.freeze([]);

/** The list before, if the new one holds the same objects. */
export const keepSame = <T>(list: readonly T[], before: readonly T[] | undefined): readonly T[] =>
  before?.length === list.length && list.every((item, index) => item === before[index]) ? before : list;
