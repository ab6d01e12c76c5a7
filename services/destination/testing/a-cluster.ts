import { AddressIndex } from '@gatehouse/core/mesh/address-index';
import { portSet } from '@gatehouse/core/port-set';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex, type Touched } from '@gatehouse/core/resources/resource-index';
import type { Cluster, ClusterSettings } from '../src/core/cluster.ts';

/** The settings of tests: mesh `gatehouse`, MySQL's port opaque by default, IPv6 in use, and no controller that writes EndpointSlices. */
export const settings: ClusterSettings = {
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  clusterDomain: 'cluster.local',
  defaultOpaquePorts: portSet([{ first: 3306, last: 3306 }]),
  ipv6: true,
  slices: 'derived',
};

/** A cluster that holds these objects. */
export const aCluster = (...objects: readonly KubeObject[]): Cluster => aClusterWith({}, ...objects);

/** The same with other settings. */
export const aClusterWith = (said: Partial<ClusterSettings>, ...objects: readonly KubeObject[]): Cluster => {
  const cluster: Cluster = {
    index: new ResourceIndex(),
    addresses: new AddressIndex(),
    settings: { ...settings, ...said },
  };
  put(cluster, ...objects);
  return cluster;
};

/** Adds or replaces objects. */
export const put = (cluster: Cluster, ...objects: readonly KubeObject[]): readonly Touched[] =>
  apply(
    cluster,
    objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change),
  );

export const remove = (cluster: Cluster, ...objects: readonly KubeObject[]): readonly Touched[] =>
  apply(
    cluster,
    objects.map(({ kind, meta }) => ({
      type: 'delete',
      kind,
      namespace: meta.namespace,
      name: meta.name,
      uid: meta.uid,
    })),
  );

/** Replaces all objects of a kind by these. */
export const relist = <K extends Kind>(
  cluster: Cluster,
  kind: K,
  ...objects: readonly KubeObject<K>[]
): readonly Touched[] => apply(cluster, [{ type: 'reset', kind, objects } as Change]);

const apply = (cluster: Cluster, changes: readonly Change[]): readonly Touched[] => {
  const touched = cluster.index.apply(changes);
  cluster.addresses.apply(touched);
  return touched;
};
