import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { silentLog } from '@gatehouse/platform/log/log';
import { anExternalWorkload, aService } from '@gatehouse/testing/builders';
import { aCluster, put, remove } from '../../../testing/a-cluster.ts';
import type { DesiredSlice } from '../../core/external-slices/plan-slices.ts';
import { ExternalSlices } from './external-slices.ts';
import { type SliceStore, wireSlice } from './slice-store.ts';

/** Slices in memory, which may refuse to be written. */
class FakeStore implements SliceStore {
  readonly slices = new Map<string, DesiredSlice>();
  writes = 0;
  isAway = false;

  async put(slice: DesiredSlice): Promise<void> {
    this.writes += 1;
    if (this.isAway) throw new Error('the API server does not answer');
    this.slices.set(`${slice.namespace}/${slice.name}`, slice);
  }

  async remove(namespace: string, name: string): Promise<void> {
    this.writes += 1;
    this.slices.delete(`${namespace}/${name}`);
  }

  get listed(): readonly string[] {
    return [...this.slices.values()].flatMap(({ endpoints }) =>
      endpoints.map(({ workload }) => workload.meta.name),
    );
  }
}

const service = aService({ name: 'vms', selector: { app: 'vm' } });
const vm = (name: string) => anExternalWorkload({ name, labels: { app: 'vm' } });

const running = (t: TestContext, ...objects: readonly KubeObject[]) => {
  const cluster = aCluster(...objects);
  const store = new FakeStore();
  const state = { isLeading: true };
  const slices = new ExternalSlices({
    cluster,
    store,
    mayWrite: () => state.isLeading,
    log: silentLog,
    everyMs: 1,
  });
  const abort = new AbortController();
  const over = slices.run(abort.signal);
  t.after(() => {
    abort.abort();
    return over;
  });
  const until = async (names: readonly string[]): Promise<void> => {
    while (JSON.stringify(store.listed) !== JSON.stringify(names)) await sleep(2);
  };
  return { cluster, store, state, slices, until };
};

test('what is there at the start and what changes later is written', async (t) => {
  const { cluster, slices, until } = running(t, service, vm('a'));
  await until(['a']);
  slices.touched(put(cluster, vm('b')));
  await until(['a', 'b']);
  slices.touched(remove(cluster, vm('a')));
  await until(['b']);
});

test('a replica that is not elected writes nothing, and catches up when it is', async (t) => {
  const { store, state, slices, cluster, until } = running(t);
  state.isLeading = false;
  slices.touched(put(cluster, service, vm('a')));
  await sleep(20);
  assert.equal(store.writes, 0);
  state.isLeading = true;
  slices.due();
  await until(['a']);
});

test('a write that fails is tried again until it is done', async (t) => {
  const { store, slices, cluster, until } = running(t);
  store.isAway = true;
  slices.touched(put(cluster, service, vm('a')));
  while (store.writes < 3) await sleep(2);
  store.isAway = false;
  await until(['a']);
});

test('a slice on the wire belongs to its Service, and says which ExternalWorkload an address is', () => {
  const slice: DesiredSlice = {
    namespace: 'demo',
    name: 'linkerd-external-vms-0',
    service: aService({ name: 'vms', uid: 'service-uid', clusterIps: [] }),
    family: 6,
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [{ workload: anExternalWorkload({ name: 'vm', uid: 'vm-uid' }), addresses: ['fd00::9'] }],
  };
  assert.deepEqual(wireSlice(slice), {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'demo',
      name: 'linkerd-external-vms-0',
      labels: {
        'kubernetes.io/service-name': 'vms',
        'endpointslice.kubernetes.io/managed-by': 'linkerd-external-workloads-controller',
        'service.kubernetes.io/headless': '',
      },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name: 'vms', uid: 'service-uid', controller: true },
      ],
    },
    addressType: 'IPv6',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['fd00::9'],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: 'ExternalWorkload', namespace: 'demo', name: 'vm', uid: 'vm-uid' },
      },
    ],
  });
});
