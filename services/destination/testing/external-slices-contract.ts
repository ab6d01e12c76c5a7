import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { KubeLease } from '@gatehouse/platform/kube/write/kube-lease';
import { LeaderElection } from '@gatehouse/platform/kube/write/leader-election';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { compileEndpointSet } from '../src/core/endpoints/endpoint-set.ts';
import { ExternalSlices } from '../src/ports/external-slices/external-slices.ts';
import { KubeSliceStore } from '../src/ports/external-slices/slice-store.ts';
import { ClusterWatch } from '../src/ports/watch.ts';
import { settings } from './a-cluster.ts';

const metadata = (name: string, labels: WireObject = {}): WireObject => ({ namespace: 'demo', name, labels });
const workload = (name: string, ip: string): WireObject => ({
  apiVersion: 'workload.linkerd.io/v1beta1',
  kind: 'ExternalWorkload',
  metadata: metadata(name, { app: 'vm' }),
  spec: {
    meshTLS: { identity: `spiffe://elsewhere/${name}`, serverName: `${name}.elsewhere.example` },
    workloadIPs: [{ ip }],
    ports: [{ name: 'web', port: 8080 }],
  },
});
const service: WireObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata('vms'),
  spec: { selector: { app: 'vm' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
};
const isReady = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };

/** What ExternalWorkloads become on an API server: EndpointSlices that one elected replica writes, and so endpoints. */
export const externalWorkloadsBecomeEndpoints = async (
  t: TestContext,
  cluster: RealCluster<ClusterServer>,
): Promise<void> => {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
  const { client } = cluster;
  const watch = new ClusterWatch({ ...settings, slices: 'written' });
  const abort = new AbortController();
  const running: Promise<void>[] = [];
  t.after(async () => {
    abort.abort();
    await Promise.all(running);
  });
  const leases = new KubeLease({ client, namespace: 'demo', name: 'endpoint-write' });
  for (const id of ['one', 'two']) {
    const slices: ExternalSlices = new ExternalSlices({
      cluster: watch.cluster,
      store: new KubeSliceStore(client),
      mayWrite: () => election.mayWrite(),
      log: silentLog,
      everyMs: 10,
    });
    const election: LeaderElection = new LeaderElection({
      leases,
      id,
      log: silentLog,
      onChange: () => slices.due(),
    });
    watch.observe((touched) => slices.touched(touched));
    running.push(election.run(abort.signal), slices.run(abort.signal));
  }
  const source = new KubernetesSource({ client, log: silentLog, metrics: new Metrics('test') });
  running.push(watch.run(source, abort.signal));

  const until = async (expected: readonly string[]): Promise<void> => {
    const target = {
      kind: 'service',
      namespace: 'demo',
      name: 'vms',
      port: 80,
      instance: undefined,
    } as const;
    const deadline = AbortSignal.timeout(30_000);
    for (;;) {
      const set = compileEndpointSet(watch.cluster, target).value;
      const found = set.kind === 'endpoints' ? set.endpoints.map(({ key }) => key) : [];
      if (JSON.stringify(found) === JSON.stringify(expected)) return;
      if (deadline.aborted) assert.deepEqual(found, expected);
      await sleep(20);
    }
  };
  await cluster.apply(service);
  await cluster.apply(workload('vm-1', '192.0.2.1'));
  await cluster.apply(workload('vm-2', '192.0.2.2'));
  // Only those that are ready are endpoints.
  await cluster.setStatus({ ...workload('vm-1', '192.0.2.1'), ...isReady });
  await until(['192.0.2.1:8080']);
  await cluster.setStatus({ ...workload('vm-2', '192.0.2.2'), ...isReady });
  await until(['192.0.2.1:8080', '192.0.2.2:8080']);
  const written = await cluster.list('EndpointSlice', 'demo');
  assert.deepEqual(
    written.map(({ metadata: meta }) => (meta as WireObject).name),
    ['linkerd-external-vms-0'],
  );
  await cluster.remove(workload('vm-1', ''));
  await until(['192.0.2.2:8080']);
  await cluster.remove(workload('vm-2', ''));
  await until([]);
  // An endpoint is gone with its workload, the slice that lists it once the next look wrote.
  const deadline = AbortSignal.timeout(30_000);
  while ((await cluster.list('EndpointSlice', 'demo')).length > 0) {
    assert.ok(!deadline.aborted, 'the slice that lists no workload is still there');
    await sleep(20);
  }
};
