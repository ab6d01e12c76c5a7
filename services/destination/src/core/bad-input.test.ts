import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthority } from '@gatehouse/core/mesh/service-authority';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { readWire, type WireSaid } from '@gatehouse/testing/wire-objects';
import { aCluster } from '../../testing/a-cluster.ts';
import { compileEndpointSet } from './endpoints/endpoint-set.ts';
import { compileProfile } from './profile/profile.ts';

type Wire = readonly [Kind, WireSaid];

const pod = (name: string, ip: string, status: object = {}): Wire => [
  'Pod',
  {
    name,
    metadata: { labels: { app: 'backend', 'linkerd.io/control-plane-ns': 'gatehouse' } },
    spec: { containers: [{ name: 'app' }] },
    status: {
      phase: 'Running',
      startTime: '2026-01-01T00:00:00Z',
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...status,
    },
  },
];
const service = (name: string, spec: object = {}): Wire => [
  'Service',
  {
    name,
    spec: { clusterIP: '10.32.0.1', selector: { app: name }, ports: [{ name: 'http', port: 80 }], ...spec },
  },
];
const slice = (name: string, said: WireSaid): Wire => [
  'EndpointSlice',
  {
    name,
    metadata: { labels: { 'kubernetes.io/service-name': 'backend' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    ...said,
  },
];
const targetRef = { kind: 'Pod', name: 'backend-0', namespace: 'demo' };
const good: readonly Wire[] = [
  service('backend'),
  pod('backend-0', '10.1.0.1'),
  slice('good', { endpoints: [{ addresses: ['10.1.0.1'], targetRef }] }),
];

/** What stands beside the good, and whether it is warned of. */
const cases: readonly (readonly [says: string, warned: boolean, beside: readonly Wire[]])[] = [
  [
    'a slice with a port that has no number',
    false,
    [slice('bad', { ports: [{ name: 'http' }], endpoints: [{ addresses: ['10.1.0.2'] }] })],
  ],
  [
    'a slice with a port that is not a number',
    true,
    [slice('bad', { ports: [{ name: 'http', port: 'x' }], endpoints: [{ addresses: ['10.1.0.2'] }] })],
  ],
  ['a slice without ports', false, [slice('bad', { ports: null, endpoints: [{ addresses: ['10.1.0.2'] }] })]],
  ['an endpoint without addresses', false, [slice('bad', { endpoints: [{ addresses: [] }] })]],
  ['an endpoint whose address is not one', true, [slice('bad', { endpoints: [{ addresses: ['10.1.0'] }] })]],
  [
    'an endpoint whose target cannot be read',
    true,
    [slice('bad', { endpoints: [{ addresses: ['10.1.0.2'], targetRef: { kind: 1 } }] })],
  ],
  [
    'a pod of another namespace in a slice',
    false,
    [
      slice('bad', {
        endpoints: [{ addresses: ['10.1.0.2'], targetRef: { ...targetRef, namespace: 'evil' } }],
      }),
    ],
  ],
  ['a Service without ports', false, [service('empty', { clusterIP: '10.32.0.2', ports: [] })]],
  [
    'a younger Service with the same cluster IP',
    false,
    [['Service', { ...service('z-late')[1], metadata: { creationTimestamp: '2026-01-02T00:00:00Z' } }]],
  ],
  [
    'a pod that has ended, and was started later, with the address',
    false,
    [pod('job', '10.1.0.1', { phase: 'Succeeded', startTime: '2026-01-02T00:00:00Z' })],
  ],
  [
    'a terminating pod with the address',
    false,
    [['Pod', { ...pod('old', '10.1.0.1')[1], metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } }]],
  ],
];

test('an object that makes no sense costs itself, and nobody else an endpoint or an address', () => {
  for (const [says, isWarnedOf, beside] of cases) {
    const read = [...good, ...beside].map(([kind, said]) => readWire(kind, said));
    assert.equal(
      read.some(({ warnings }) => warnings.length > 0),
      isWarnedOf,
      says,
    );
    const cluster = aCluster(...read.map(({ object }) => object));
    const ask = (path: string) => {
      const target = parseAuthority(path, 'cluster.local');
      return target.ok ? target.value : assert.fail(path);
    };
    const backend = ask('backend.demo.svc.cluster.local:80');
    assert.ok(backend.kind === 'service');
    const set = compileEndpointSet(cluster, backend).value;
    assert.deepEqual(
      set.kind === 'endpoints' && set.endpoints.map(({ key }) => key),
      ['10.1.0.1:8080'],
      says,
    );
    const profileOf = (path: string) =>
      compileProfile(cluster, { target: ask(path), clientNamespace: '' }).value;
    const byAddress = profileOf('10.1.0.1:8080');
    assert.equal(byAddress.kind === 'endpoint' && byAddress.endpoint.place.workload, 'backend-0', says);
    const byClusterIp = profileOf('10.32.0.1:80');
    assert.equal(byClusterIp.kind === 'service' && byClusterIp.name, 'backend', says);
  }
  assert.equal(cases.length, 11);
});
