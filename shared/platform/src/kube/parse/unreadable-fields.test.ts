import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unreadAsClient, unreadAsServer } from '@gatehouse/core/mesh/unread-pod';
import { hasEnded, isMeshed } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { readWire, type WireSaid } from '@gatehouse/testing/wire-objects';
import type { WireObject } from './fields.ts';

const mesh = { controlPlaneNamespace: 'gatehouse' };
const container = (port: WireObject): WireObject => ({ containers: [{ name: 'c', ports: [port] }] });

/** A meshed pod that runs and is ready, but for one field. */
const aPod = (metadata: WireObject, spec: WireObject = {}, status: WireObject = {}): KubeObject<'Pod'> => {
  const running = { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }] };
  const conditions = [{ type: 'Ready', status: 'True' }];
  return readWire('Pod', {
    metadata: { labels: { app: 'web', 'linkerd.io/control-plane-ns': 'gatehouse' }, ...metadata },
    spec,
    status: { ...running, conditions, ...status },
  }).object;
};

/**
 * What is unread of a pod to those who ask whether it may call, and to those who ask which policies guard it. Anyone who it
 * is nothing to, to them the field opens nothing by its absence.
 */
const pods: readonly (readonly [field: string, pod: KubeObject<'Pod'>, client: string, server: string])[] = [
  ['nothing', aPod({}), '', ''],
  ['labels', aPod({ labels: 'app=web' }), 'labels', 'labels'],
  ['one label', aPod({ labels: { app: ['web'] } }), 'labels', 'labels'],
  ['annotations', aPod({ annotations: 7 }), '', 'annotations'],
  ['an annotation', aPod({ annotations: { 'config.linkerd.io/opaque-ports': [8080] } }), '', 'annotations'],
  ['serviceAccountName', aPod({}, { serviceAccountName: 7 }), 'serviceAccountName', ''],
  ['hostNetwork', aPod({}, { hostNetwork: 'yes' }), 'hostNetwork', ''],
  ['phase', aPod({}, {}, { phase: 'Done' }), 'phase', ''],
  ['the state of a container', aPod({}, {}, { containerStatuses: ['over'] }), 'phase', ''],
  ['status', readWire('Pod', { status: 'Running' }).object, 'phase', ''],
  ['the number of a port', aPod({}, container({ containerPort: '80' })), '', 'ports'],
  ['the name of a port', aPod({}, container({ containerPort: 80, name: 7 })), '', 'ports'],
  ['a container', aPod({}, { containers: ['c'] }), '', 'ports'],
  ['spec', aPod({}, 'x' as unknown as WireObject), 'serviceAccountName hostNetwork', 'ports'],
];

test('a field of a pod that is there and cannot be read takes the reading that opens nothing', () => {
  for (const [field, pod, client, server] of pods) {
    assert.deepEqual(
      [unreadAsClient(pod).toSorted().join(' '), unreadAsServer(pod).join(' ')],
      [client.split(' ').toSorted().join(' '), server],
      field,
    );
    // It is governed, and what is sent to it is encrypted.
    if (field !== 'status') assert.equal(isMeshed(pod.meta, mesh), true, field);
    // It keeps its address from others.
    assert.equal(hasEnded(pod.spec), false, field);
  }
  assert.equal(pods.length, 14);
});

/** Whether the pod is an endpoint where the folder or the API server says so. */
const unready: readonly (readonly [field: string, status: WireObject])[] = [
  ['conditions', { conditions: 'Ready' }],
  ['a condition', { conditions: [{ type: 'Ready', status: 'True' }, 'x'] }],
  ['the status of Ready', { conditions: [{ type: 'Ready', status: true }] }],
  ['the type of a condition', { conditions: [{ type: 'Ready', status: 'True' }, { type: 7 }] }],
];

test('a pod whose readiness cannot be read is not ready', () => {
  for (const [field, status] of unready) assert.equal(aPod({}, {}, status).spec.ready, false, field);
  assert.equal(unready.length, 4);
});

test('of addresses that cannot be read a pod has none, and of others those', () => {
  assert.deepEqual(aPod({}, {}, { podIPs: [{ ip: 'x' }, { ip: '10.0.0.2' }] }).spec.ips, ['10.0.0.2']);
  assert.deepEqual(aPod({}, {}, { podIPs: 'x' }).spec.ips, []);
});

const anEndpoint = (said: WireObject): WireObject => ({
  addresses: ['10.0.0.1'],
  conditions: { ready: true },
  targetRef: { kind: 'Pod', name: 'web-0', namespace: 'demo' },
  ...said,
});

const slice = (said: WireSaid) => readWire('EndpointSlice', { addressType: 'IPv4', ...said }).spec;

const endpoints: readonly (readonly [
  field: string,
  said: WireObject,
  served: 'ready' | 'not ready' | 'left out',
])[] = [
  ['nothing', {}, 'ready'],
  ['no conditions, which means ready', { conditions: undefined }, 'ready'],
  ['conditions', { conditions: 'ready' }, 'not ready'],
  ['conditions.ready', { conditions: { ready: 'yes' } }, 'not ready'],
  ['addresses', { addresses: '10.0.0.1' }, 'left out'],
  ['targetRef', { targetRef: 'web-0' }, 'left out'],
  ['targetRef.name', { targetRef: { kind: 'Pod', name: 7 } }, 'left out'],
  ['targetRef.kind', { targetRef: { kind: 7, name: 'web-0' } }, 'left out'],
  ['targetRef.namespace', { targetRef: { kind: 'Pod', name: 'web-0', namespace: 7 } }, 'left out'],
];

test('an endpoint that cannot be read is not ready, or is none where nobody can say whose it is', () => {
  for (const [field, said, served] of endpoints) {
    const [endpoint] = slice({ endpoints: [anEndpoint(said)] }).endpoints;
    assert.equal(endpoint === undefined ? 'left out' : endpoint.ready ? 'ready' : 'not ready', served, field);
  }
  assert.equal(endpoints.length, 9);
});

const badPorts: readonly WireObject[] = [{ port: 80, protocol: 7 }, { port: 80, name: 7 }, { port: '80' }];

test('a port that cannot be read leads nowhere', () => {
  for (const port of badPorts) {
    assert.deepEqual(slice({ ports: [port] }).ports, []);
    assert.deepEqual(readWire('Service', { spec: { ports: [port] } }).spec.ports, []);
  }
  const targets: readonly unknown[] = [true, 70_000, []];
  for (const targetPort of targets)
    assert.deepEqual(readWire('Service', { spec: { ports: [{ port: 80, targetPort }] } }).spec.ports, []);
  assert.equal(badPorts.length + targets.length, 6);
});
