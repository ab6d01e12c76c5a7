import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { aServedPolicy } from '@gatehouse/policy/testing/a-policy';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import { gatewayCrds } from './gateway-crds.ts';
import { startLinkerdController } from './linkerd-controller.ts';
import { markerNamespace, markerSetting, markers } from './markers.ts';
import type { Peers } from './prerequisites.ts';
import { namespaces } from './random-parts.ts';
import { ourConfig } from './same-settings.ts';
import { TwoControllers } from './two-controllers.ts';

/** Starts the cluster and both controllers; all of it ends with the test. */
export const startBoth = async (t: TestContext, { assets, controller }: Peers): Promise<TwoControllers> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-parity-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const cluster = await RealCluster.start(assets);
  t.after(() => cluster[Symbol.asyncDispose]());
  await cluster.install(...gatewayCrds);
  for (const name of [...namespaces, markerNamespace]) await cluster.apply(aNamespace(name));
  // In each namespace something stays: Linkerd forgets a namespace in which it knows of neither pod nor policy, routes and all.
  for (const namespace of namespaces) await cluster.apply(resident(namespace));
  for (const object of markerSetting) await cluster.apply(object);
  for (const marker of Object.values(markers)) await cluster.apply(marker.object(0));
  const linkerd = await startLinkerdController(controller, { cluster, folder });
  t.after(() => linkerd.stop());
  const { client, follow } = await aServedPolicy(t, { cluster: ourConfig });
  follow(new KubernetesSource({ client: cluster.client, log: silentLog, metrics: new Metrics('test') }));
  return new TwoControllers(cluster, { linkerd, gatehouse: client });
};

export const aNamespace = (name: string, annotations: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations },
});

const resident = (namespace: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name: 'resident', labels: { 'linkerd.io/control-plane-ns': 'gatehouse' } },
  spec: { containers: [{ name: 'main', image: 'image' }] },
});
