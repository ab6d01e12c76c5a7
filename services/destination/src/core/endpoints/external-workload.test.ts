import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import {
  anEndpointSlice,
  anExternalWorkload,
  aServer,
  aService,
  aSliceEndpoint,
} from '@gatehouse/testing/builders';
import { aCluster, aClusterWith, put, remove } from '../../../testing/a-cluster.ts';
import type { Cluster } from '../cluster.ts';
import type { Shown } from './endpoint.ts';
import { compileEndpointSet } from './endpoint-set.ts';

const service = aService({ name: 'vms', selector: { app: 'vm' } });
const workload = (said: Parameters<typeof anExternalWorkload>[0] = {}) =>
  anExternalWorkload({ name: 'vm', labels: { app: 'vm' }, ...said });

const endpoint = (said: Partial<SliceEndpoint> = {}): SliceEndpoint =>
  aSliceEndpoint({
    addresses: ['192.0.2.9'],
    target: { kind: 'ExternalWorkload', namespace: 'demo', name: 'vm' },
    ...said,
  });
const slice = (said: Partial<SliceEndpoint> = {}, port = 8080) =>
  anEndpointSlice({ service: 'vms', ports: [{ name: 'http', port }], endpoints: [endpoint(said)] });

const shown = (cluster: Cluster, port = 80): readonly Shown[] => {
  const target = { kind: 'service', namespace: 'demo', name: 'vms', port, instance: undefined } as const;
  const { value } = compileEndpointSet(cluster, target);
  return value.kind === 'endpoints'
    ? value.endpoints.map(({ seenAs }) => seenAs.unknown.shown)
    : assert.fail(value.kind);
};
/** Whether there is an endpoint, in a cluster whose controllers write slices. */
const isGiven = (...objects: readonly KubeObject[]): boolean =>
  shown(aClusterWith({ slices: 'written' }, service, ...objects)).length > 0;

test('an ExternalWorkload in a slice is an endpoint with its own identity and server name', () => {
  const owner = { kind: 'ExternalGroup', name: 'fleet' };
  assert.deepEqual(shown(aCluster(service, workload({ owner }), slice({ zone: 'a' }))), [
    {
      ip: '192.0.2.9',
      port: 8080,
      labels: { externalgroup: 'fleet', external_workload: 'vm', zone: 'a' },
      identity: { kind: 'other', name: 'spiffe://elsewhere/vm' },
      serverName: 'vm.elsewhere',
      hint: { protocol: 'h2', inboundPort: 4143 },
    },
  ]);
});

test('it is met at the port that it names for its proxy', () => {
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'linkerd-proxy', port: 14143 },
  ];
  const [found] = shown(aCluster(service, workload({ ports }), slice()));
  assert.deepEqual(found?.hint, { protocol: 'h2', inboundPort: 14143 });
});

test('its ports are opaque by Servers that select ExternalWorkloads, its annotation, and the default list', () => {
  const protocol = (...objects: readonly KubeObject[]) =>
    shown(aCluster(service, ...objects))[0]?.hint?.protocol;
  const external = { matchLabels: { app: 'vm' }, matchExpressions: [] };
  const server = aServer({
    podSelector: undefined,
    externalWorkloadSelector: external,
    proxyProtocol: 'opaque',
  });
  assert.equal(protocol(workload(), slice(), server), 'opaque');
  assert.equal(protocol(workload(), slice(), aServer({ proxyProtocol: 'opaque' })), 'h2');
  const annotations = { 'config.linkerd.io/opaque-ports': 'http' };
  assert.equal(protocol(workload({ annotations }), slice()), 'opaque');
  assert.equal(protocol(workload(), slice({}, 3306)), 'opaque');
});

const unusable = ['', 'not a name', 'UPPER.case', 'spiffe:/one-slash'];

test('one without an identity that a proxy can demand is left out, for it would be spoken to in plaintext', () => {
  assert.equal(isGiven(workload(), slice()), true);
  assert.equal(isGiven(workload({ identity: 'vm.elsewhere.example' }), slice()), true);
  for (const identity of unusable) assert.equal(isGiven(workload({ identity }), slice()), false, identity);
  assert.equal(isGiven(workload({ serverName: '' }), slice()), false);
  assert.equal(unusable.length, 4);
});

test('one that is not known, or is of another namespace, is left out', () => {
  assert.equal(isGiven(slice()), false);
  assert.equal(isGiven(workload({ namespace: 'other' }), slice()), false);
  const target = { kind: 'ExternalWorkload', namespace: 'other', name: 'vm' };
  assert.equal(isGiven(workload({ namespace: 'other' }), slice({ target })), false);
});

test('where nobody writes slices, it is selected as pods are while it is ready', () => {
  const cluster = aCluster(service, workload());
  const addresses = () => shown(cluster).map(({ ip, port }) => `${ip} ${port}`);
  assert.deepEqual(addresses(), ['192.0.2.9 8080']);
  put(cluster, workload({ ready: false }));
  assert.deepEqual(addresses(), []);
  const named = [{ name: 'http', port: 80, targetPort: 'http', appProtocol: undefined }];
  put(cluster, workload(), aService({ name: 'vms', selector: { app: 'vm' }, ports: named }));
  assert.deepEqual(addresses(), ['192.0.2.9 8080']);
  remove(cluster, workload());
  assert.deepEqual(addresses(), []);
});
