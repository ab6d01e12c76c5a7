import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DestinationServer } from '@gatehouse/destination/ports/serve';
import { ClusterWatch } from '@gatehouse/destination/ports/watch';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { aGrpcClient, aGrpcServer } from '@gatehouse/testing/grpc';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import type { LinkerdPeer } from '../linkerd-peer.ts';
import type { Peers } from '../prerequisites.ts';
import { mesh, ourConfig } from '../same-settings.ts';
import { startLinkerdDestination } from './linkerd-destination.ts';
import { client, here, nodes, owningJob } from './random-cluster.ts';

export type Sides = Readonly<Record<'linkerd' | 'gatehouse', GrpcClient>>;

/** Both controllers on one real cluster: its API server, its nodes, and nothing else. */
export const startBoth = async (
  t: TestContext,
  { assets, controller }: Peers,
): Promise<{ readonly cluster: RealCluster; readonly sides: Sides; readonly linkerd: LinkerdPeer }> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-parity-destination-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const cluster = await RealCluster.start(assets);
  t.after(() => cluster[Symbol.asyncDispose]());
  for (const name of [here, client, mesh.controlPlaneNamespace]) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const account of ['default', 'web'])
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: name, name: account },
      });
  }
  for (const [name, zone] of Object.entries(nodes)) {
    const labels = { 'topology.kubernetes.io/zone': zone };
    await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  }
  await cluster.apply(owningJob);
  // Linkerd's does not start in a cluster without any slice.
  await cluster.apply({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: client, name: 'first', labels: { 'kubernetes.io/service-name': 'first' } },
    addressType: 'IPv4',
    endpoints: [],
  });
  const linkerd = await startLinkerdDestination(controller, { cluster, folder });
  t.after(() => linkerd.stop());
  const watch = new ClusterWatch({
    mesh,
    clusterDomain: 'cluster.local',
    defaultOpaquePorts: ourConfig.defaultOpaquePorts,
    ipv6: false,
    slices: 'written',
  });
  const abort = new AbortController();
  const source = new KubernetesSource({
    client: cluster.client,
    log: silentLog,
    metrics: new Metrics('test'),
  });
  const watching = watch.run(source, abort.signal);
  t.after(async () => {
    abort.abort();
    await watching;
  });
  const server = await aGrpcServer(t, { methods: new DestinationServer(watch, Date.now).methods });
  while (!watch.isReady) await sleep(20);
  return { cluster, linkerd, sides: { linkerd: linkerd.client, gatehouse: aGrpcClient(t, server) } };
};

const keyOf = ({ kind, metadata }: WireObject): string => {
  const { namespace, name } = metadata as WireObject;
  return `${kind}/${namespace}/${name}`;
};

/** Writes objects; of pods with the status that kubelet would write. */
export const write = async (cluster: RealCluster, objects: readonly WireObject[]): Promise<void> => {
  for (const { status, ...object } of objects) {
    await cluster.apply(object);
    if (status !== undefined)
      await cluster.setStatus({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: object.metadata,
        status,
      } as WireObject);
  }
};

/** Removes those of `before` that are not among `objects`. */
export const removeGone = async (
  cluster: RealCluster,
  before: readonly WireObject[],
  objects: readonly WireObject[] = [],
): Promise<void> => {
  const kept = new Set(objects.map(keyOf));
  const gone = before.filter((object) => !kept.has(keyOf(object)));
  await Promise.all(gone.map((object) => cluster.remove(object)));
};
