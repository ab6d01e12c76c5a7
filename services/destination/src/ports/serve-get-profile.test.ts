import assert from 'node:assert/strict';
import test from 'node:test';
import { aPod, aServer } from '@gatehouse/testing/builders';
import { DestinationProfile } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { FakeCall } from '../../testing/fake-call.ts';
import { backend, listed, pod, service } from '../../testing/listed-destination.ts';

const last = (call: FakeCall): DestinationProfile =>
  DestinationProfile.decode(call.messages.at(-1) ?? assert.fail());

test('the profile of a Service has its name, its opaqueness and what it belongs to', async (t) => {
  const { open, source } = listed(t, service(), pod(1));
  const call = await open('GetProfile', { path: '10.32.0.1:80' });
  assert.deepEqual(last(call), {
    routes: [],
    retryBudget: { retryRatio: Math.fround(0.2), minRetriesPerSecond: 10, ttl: { seconds: 10n, nanos: 0 } },
    dstOverrides: [],
    opaqueProtocol: false,
    fullyQualifiedName: 'backend.demo.svc.cluster.local',
    endpoint: undefined,
    parentRef: {
      kind: {
        $case: 'resource',
        value: { group: 'core', kind: 'Service', name: 'backend', namespace: 'demo', section: '', port: 80 },
      },
    },
    profileRef: undefined,
  });
  source.put(service({ annotations: { 'config.linkerd.io/opaque-ports': '80' } }));
  assert.equal(last(call).opaqueProtocol, true);
  assert.equal(call.messages.length, 2);
});

test('the profile of an address follows the pod that has it, and one that is equal is not sent again', async (t) => {
  const { open, source } = listed(t);
  const call = await open('GetProfile', { path: '10.1.0.1:8080' });
  const seen = () => {
    const { endpoint, opaqueProtocol } = last(call);
    return [
      endpoint?.metricLabels.pod,
      endpoint?.tlsIdentity !== undefined,
      opaqueProtocol,
      call.messages.length,
    ];
  };
  assert.deepEqual(seen(), [undefined, false, false, 1]);
  source.put(pod(1));
  assert.deepEqual(seen(), ['backend-1', true, false, 2]);
  source.put(pod(1, { ready: false }));
  assert.deepEqual(seen(), ['backend-1', true, false, 2]);
  source.put(aServer({ proxyProtocol: 'opaque' }));
  assert.deepEqual(seen(), ['backend-1', true, true, 3]);
  source.remove(aServer());
  assert.deepEqual(seen(), ['backend-1', true, false, 4]);
  source.put(pod(1, { deletedAt: 1 }));
  assert.deepEqual(seen(), [undefined, false, false, 5]);
  source.put(aPod({ name: 'heir', ips: ['10.1.0.1'] }));
  assert.deepEqual(seen(), ['heir', true, false, 6]);
  source.put(service({ clusterIps: ['10.1.0.1'] }));
  assert.equal(last(call).fullyQualifiedName, '', 'the Service does not have that port');
  assert.equal(call.ended, undefined);
});

test('the profile of an address that two pods claim says whose it is as soon as one of them yields', async (t) => {
  const rival = (said: Parameters<typeof aPod>[0] = {}) => pod(2, { ips: ['10.1.0.1'], ...said });
  const { open, source } = listed(t, pod(1), rival());
  const call = await open('GetProfile', { path: '10.1.0.1:8080' });
  const holder = () => last(call).endpoint?.metricLabels.pod;
  assert.equal(holder(), undefined);
  source.put(rival({ deletedAt: 1 }));
  assert.equal(holder(), 'backend-1');
  source.put(pod(1, { startedAt: 1 }), rival({ startedAt: 2 }));
  assert.equal(holder(), 'backend-2');
  source.put(pod(1), rival({ startedAt: 2 }));
  assert.equal(holder(), undefined);
  source.put(rival({ phase: 'Failed' }));
  assert.equal(holder(), 'backend-1');
});

test('a Service that comes later to a cluster IP takes nobody away from the one that had it', async (t) => {
  const { open, source } = listed(t, service({ createdAt: 1 }));
  const call = await open('GetProfile', { path: '10.32.0.1:80' });
  source.put(service({ name: 'a-newer', createdAt: 2 }));
  assert.equal(call.messages.length, 1);
  source.remove(service({ createdAt: 1 }));
  assert.equal(last(call).fullyQualifiedName, 'a-newer.demo.svc.cluster.local');
});

test('an open profile whose Service goes is emptied, and filled again when it comes back', async (t) => {
  const { open, source } = listed(t, service());
  const call = await open('GetProfile', { path: backend });
  source.remove(service());
  assert.deepEqual([last(call).fullyQualifiedName, call.ended], ['', undefined]);
  source.put(service());
  assert.equal(last(call).fullyQualifiedName, 'backend.demo.svc.cluster.local');
});

test('a slow reader of profiles is sent the latest only', async (t) => {
  const { open, source } = listed(t, pod(1));
  const call = await open('GetProfile', { path: '10.1.0.1:8080' });
  call.reads = false;
  source.put(pod(1, { serviceAccount: 'a' }));
  source.put(pod(1, { serviceAccount: 'b' }));
  source.put(pod(1, { serviceAccount: 'c' }));
  assert.equal(call.messages.length, 2);
  call.drain();
  assert.equal(call.messages.length, 3);
  assert.equal(last(call).endpoint?.metricLabels.serviceaccount, 'c');
});
