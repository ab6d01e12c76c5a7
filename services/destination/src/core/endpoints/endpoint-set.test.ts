import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aNode, anEndpointSlice, aPod, aServer, labelled } from '@gatehouse/testing/builders';
import { aCluster, aClusterWith, put, remove } from '../../../testing/a-cluster.ts';
import {
  backend,
  compile,
  dual,
  identity,
  inSlice,
  keys,
  service,
  shown,
  target,
} from '../../../testing/endpoint-sets.ts';
import { compileEndpointSet, type EndpointSet } from './endpoint-set.ts';

test('a meshed pod is shown with its identity, its hints and where it comes from', () => {
  const pod = backend({
    labels: { 'pod-template-hash': '5f4d' },
    owner: { kind: 'Deployment', name: 'backend' },
    nodeName: 'node-1',
    proxyPorts: { inbound: 5143, control: 5190, admin: 5191 },
  });
  const cluster = aCluster(service(), pod, aNode({ name: 'node-1', zone: 'a' }));
  assert.deepEqual(shown(compile(cluster)), [
    {
      ip: '10.1.0.1',
      port: 8080,
      labels: {
        pod: 'backend-0',
        deployment: 'backend',
        serviceaccount: 'default',
        control_plane_ns: 'gatehouse',
        pod_template_hash: '5f4d',
        zone: 'a',
      },
      identity,
      hint: { protocol: 'h2', inboundPort: 5143 },
    },
  ]);
});

test("an owner's kind never takes the place of another label", () => {
  const owner = { kind: 'ServiceAccount', name: 'web' };
  const [pod] = shown(compile(aCluster(service(), backend({ owner }))));
  assert.equal(pod?.labels.serviceaccount, 'default');
});

test("a Job's pods have its name under a label that is not Prometheus's own", () => {
  const owner = { kind: 'Job', name: 'nightly' };
  const [pod] = shown(compile(aCluster(service(), backend({ owner }))));
  assert.deepEqual([pod?.labels.k8s_job, pod?.labels.job], ['nightly', undefined]);
});

const unmeshed = { identity: undefined, hint: undefined };
const opaque = { identity, hint: { protocol: 'opaque', inboundPort: 4143 } };
const h2 = { identity, hint: { protocol: 'h2', inboundPort: 4143 } };

const hints: readonly (readonly [string, readonly KubeObject[], number, object])[] = [
  ['a meshed pod', [backend()], 8080, h2],
  ['an unmeshed pod', [backend({ meshed: false })], 8080, unmeshed],
  [
    "another control plane's pod",
    [backend({ labels: { 'linkerd.io/control-plane-ns': 'linkerd' } })],
    8080,
    unmeshed,
  ],
  [
    'a port that bypasses the proxy',
    [backend({ annotations: { 'config.linkerd.io/skip-inbound-ports': '22,8000-8100' } })],
    8080,
    unmeshed,
  ],
  [
    'a pod on its host network, before which no proxy stands',
    [backend({ hostNetwork: true })],
    8080,
    unmeshed,
  ],
  [
    'an opaque port that bypasses the proxy',
    [backend({ annotations: { 'config.linkerd.io/skip-inbound-ports': '3306' } })],
    3306,
    unmeshed,
  ],
  ['an opaque port by the default list', [backend()], 3306, opaque],
  ['an opaque port of an unmeshed pod', [backend({ meshed: false })], 3306, unmeshed],
  [
    'an opaque port by annotation',
    [backend({ annotations: { 'config.linkerd.io/opaque-ports': '8080' } })],
    8080,
    opaque,
  ],
  ['an opaque port by Server', [backend(), aServer({ proxyProtocol: 'opaque' })], 8080, opaque],
  [
    'an opaque Server of another namespace',
    [backend(), aServer({ namespace: 'evil', proxyProtocol: 'opaque' })],
    8080,
    h2,
  ],
  [
    "the proxy's admin port",
    [backend()],
    4191,
    { identity, hint: { protocol: 'h2', inboundPort: undefined } },
  ],
  [
    'the admin port of a proxy that has another',
    [backend({ proxyPorts: { inbound: 4143, control: 5190, admin: 5191 } })],
    5191,
    { identity, hint: { protocol: 'h2', inboundPort: undefined } },
  ],
  [
    'a usual admin port that the proxy does not have',
    [backend({ proxyPorts: { inbound: 4143, control: 5190, admin: 5191 } })],
    4191,
    h2,
  ],
  [
    'a ServiceAccount too long for a DNS name',
    [backend({ serviceAccount: 'x'.repeat(64) })],
    8080,
    { identity: undefined, hint: h2.hint },
  ],
];

test('TLS identity and protocol hints follow the mesh label, the skipped ports and the opaque ports', () => {
  assert.equal(hints.length, 15);
  for (const [says, objects, targetPort, expected] of hints) {
    const ports = [{ name: 'http', port: 80, targetPort, appProtocol: undefined }];
    const [only] = shown(compile(aCluster(service({ ports }), ...objects)));
    assert.deepEqual({ identity: only?.identity, hint: only?.hint }, expected, says);
  }
});

const families: readonly (readonly [
  string,
  Parameters<typeof aPod>[0],
  readonly string[],
  readonly string[],
])[] = [
  ['on both', {}, ['10.32.0.9', 'fd01::1'], ['10.1.0.1:8080', '[fd00::1]:8080']],
  ['on IPv4 alone', { proxyListensOn: 'IPv4' }, ['10.32.0.9', 'fd01::1'], ['10.1.0.1:8080']],
  ['on IPv6 alone', { proxyListensOn: 'IPv6' }, ['10.32.0.9', 'fd01::1'], ['[fd00::1]:8080']],
  ['on IPv4 alone, behind an IPv6 Service', { proxyListensOn: 'IPv4' }, ['fd01::1'], ['10.1.0.1:8080']],
  ['on IPv6 alone, of a headless Service', { proxyListensOn: 'IPv6' }, [], ['[fd00::1]:8080']],
  [
    'on IPv4 alone, where the pod has no such address',
    { proxyListensOn: 'IPv4', ips: ['fd00::1'] },
    ['fd01::1'],
    ['[fd00::1]:8080'],
  ],
  [
    'on IPv4 alone, on a port that bypasses it',
    { proxyListensOn: 'IPv4', annotations: { 'config.linkerd.io/skip-inbound-ports': '8080' } },
    ['fd01::1'],
    ['[fd00::1]:8080'],
  ],
  ['nowhere, as there is none', { proxyListensOn: 'IPv4', meshed: false }, ['fd01::1'], ['[fd00::1]:8080']],
];

test("a pod is given at an address on which its proxy listens, whatever the Service's families", () => {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, appProtocol: undefined }];
  for (const [where, said, clusterIps, expected] of families) {
    const cluster = aCluster(service({ clusterIps, ports }), backend({ ...dual, ...said }));
    assert.deepEqual(keys(compile(cluster, { port: 80 })), expected, where);
  }
  assert.equal(families.length, 8);
});

test('a target port by name is never that of an init container, which ends before the pod serves', () => {
  const ports = [{ name: 'http', port: 80, targetPort: 'http', appProtocol: undefined }];
  const containerPorts = [
    { name: 'http', port: 1, init: true },
    { name: 'http', port: 8080 },
  ] as const;
  const cluster = aCluster(service({ ports }), backend({ ports: containerPorts }));
  assert.deepEqual(keys(compile(cluster)), ['10.1.0.1:8080']);
});

const published: readonly (readonly [string, Parameters<typeof aPod>[0], boolean, boolean])[] = [
  ['ready', {}, true, true],
  ['not ready', { ready: false }, false, true],
  ['pending', { phase: 'Pending', ready: false }, false, true],
  ['terminating', { deletedAt: 1 }, false, true],
  ['with all containers ended', { terminated: true }, false, false],
  ['succeeded', { phase: 'Succeeded', ready: false }, false, false],
  ['failed', { phase: 'Failed', ready: false }, false, false],
  ['without an address', { ips: [] }, false, false],
  ['with other labels', { labels: { app: 'frontend' } }, false, false],
  ['of another namespace', { namespace: 'other' }, false, false],
  ['on the host network', { hostNetwork: true }, true, true],
];

test('without slices the endpoints are the ready pods that the Service selects, or all that still run', () => {
  assert.equal(published.length, 11);
  for (const [says, said, ready, all] of published) {
    const pod = backend(said);
    assert.equal(keys(compile(aCluster(service(), pod))).length, ready ? 1 : 0, says);
    const publishing = aCluster(service({ publishNotReady: true }), pod);
    assert.equal(keys(compile(publishing)).length, all ? 1 : 0, `${says}, all published`);
  }
});

test('a target port by name may be another number on every pod, and a pod without the name is left out', () => {
  const ports = [{ name: 'http', port: 80, targetPort: 'web', appProtocol: undefined }];
  const cluster = aCluster(
    service({ ports }),
    backend({ name: 'a', ips: ['10.1.0.1'], ports: [{ name: 'web', port: 8080 }] }),
    backend({ name: 'b', ips: ['10.1.0.2'], ports: [{ name: 'web', port: 9090 }] }),
    backend({ name: 'c', ips: ['10.1.0.3'], ports: [{ name: 'metrics', port: 9999 }] }),
  );
  assert.deepEqual(keys(compile(cluster)), ['10.1.0.1:8080', '10.1.0.2:9090']);
});

test('a port that the Service does not declare has endpoints only where its name is the pods themselves', () => {
  assert.deepEqual(keys(compile(aCluster(service(), backend()), { port: 9999 })), []);
  assert.deepEqual(keys(compile(aCluster(service({ clusterIps: [] }), backend()), { port: 9999 })), [
    '10.1.0.1:9999',
  ]);
});

test('of two pods at one address the one that holds it is shown, and nobody else is lost', () => {
  const old = backend({ serviceAccount: 'old', startedAt: 1 });
  const next = backend({ name: 'backend-1', serviceAccount: 'next', startedAt: 2 });
  const accounts = (...pods: readonly KubeObject[]) => {
    const endpoints = shown(compile(aCluster(service({ publishNotReady: true }), ...pods)));
    return endpoints.map(({ labels }) => labels.serviceaccount);
  };
  assert.deepEqual(accounts(old, next), ['next']);
  assert.deepEqual(accounts(next, old), ['next']);
  assert.deepEqual(accounts(backend({ name: 'backend-2', deletedAt: 9, startedAt: 3 }), next), ['next']);
  // Nothing tells: the client is told of one, and TLS says whether it is there.
  assert.equal(accounts(backend(), backend({ name: 'backend-1' })).length, 1);
  // In another Service, or in none, a pod keeps nobody's endpoint out.
  assert.deepEqual(accounts(old, aPod({ name: 'stranger', ips: ['10.1.0.1'], startedAt: 2 })), ['old']);
});

test('a set follows whose an address is, also when only the rival changes', () => {
  const old = backend({ startedAt: 1 });
  const cluster = aCluster(
    service(),
    old,
    anEndpointSlice({ name: 'one', service: 'backend', endpoints: [inSlice()] }),
    anEndpointSlice({
      name: 'two',
      service: 'backend',
      endpoints: [inSlice({ target: { kind: 'Pod', namespace: 'demo', name: 'backend-1' } })],
    }),
    backend({ name: 'backend-1', startedAt: 2 }),
  );
  const podOf = (set: EndpointSet) => shown(set).map(({ labels }) => labels.pod);
  const { value, reads } = compileEndpointSet(cluster, target());
  assert.deepEqual(podOf(value), ['backend-1']);
  assert.equal(reads.has('address/10.1.0.1'), true);
  put(cluster, backend({ name: 'backend-1', deletedAt: 3, startedAt: 2 }));
  assert.deepEqual(podOf(compile(cluster, {}, value)), ['backend-0']);
});

test('a Service without selector and slices is empty, one that is gone is missing, and an alias is neither', () => {
  assert.deepEqual(keys(compile(aCluster(service({ selector: undefined }), backend()))), []);
  assert.deepEqual(keys(compile(aCluster(service({ selector: {} }), backend()))), []);
  assert.deepEqual(compile(aCluster(backend())), { kind: 'missing' });
  const alias = service({ type: 'ExternalName', clusterIps: [] });
  assert.deepEqual(compile(aCluster(alias)), { kind: 'external-name' });
});

test('an instance of a headless Service is the pod with that hostname and the Service as its subdomain', () => {
  const cluster = aCluster(
    service({ clusterIps: [] }),
    backend({ name: 'backend-0', ips: ['10.1.0.1'], hostname: 'backend-0', subdomain: 'backend' }),
    backend({ name: 'backend-1', ips: ['10.1.0.2'], hostname: 'backend-1', subdomain: 'backend' }),
    backend({ name: 'backend-2', ips: ['10.1.0.3'], hostname: 'backend-2', subdomain: 'other' }),
  );
  assert.deepEqual(keys(compile(cluster, { instance: 'backend-1' })), ['10.1.0.2:8080']);
  assert.deepEqual(keys(compile(cluster, { instance: 'backend-2' })), []);
  assert.equal(keys(compile(cluster)).length, 3);
});

test('a pod has one address per family of the Service, and in a headless one its first', () => {
  const pod = backend({ ips: ['10.1.0.1', 'fd00::1'] });
  const dual = ['10.32.0.1', 'fd01::1'];
  assert.deepEqual(keys(compile(aCluster(service(), pod))), ['10.1.0.1:8080']);
  assert.deepEqual(keys(compile(aCluster(service({ clusterIps: ['fd01::1'] }), pod))), ['[fd00::1]:8080']);
  assert.deepEqual(keys(compile(aCluster(service({ clusterIps: dual }), pod))), [
    '10.1.0.1:8080',
    '[fd00::1]:8080',
  ]);
  assert.deepEqual(keys(compile(aCluster(service({ clusterIps: [] }), pod))), ['10.1.0.1:8080']);
});

test('where a pod does not say on what its proxy listens, the setting does', () => {
  const pod = backend({ ...dual, proxyListensOn: 'unsaid' });
  const both = service({ clusterIps: ['10.32.0.1', 'fd01::1'] });
  assert.deepEqual(keys(compile(aClusterWith({ ipv6: false }, both, pod))), ['10.1.0.1:8080']);
  assert.deepEqual(keys(compile(aClusterWith({ ipv6: true }, both, pod))), [
    '10.1.0.1:8080',
    '[fd00::1]:8080',
  ]);
  const said = backend({ ...dual, proxyListensOn: 'IPv6' });
  assert.deepEqual(keys(compile(aClusterWith({ ipv6: false }, both, said))), ['[fd00::1]:8080']);
});

test('what is still true of the set before is the same object again', () => {
  const other = backend({ name: 'backend-1', ips: ['10.1.0.2'] });
  const cluster = aCluster(service(), backend(), other);
  const before = compile(cluster);
  put(cluster, backend({ ready: true, labels: { touched: 'by nothing that anybody sees' } }));
  assert.equal(compile(cluster, {}, before), before);
  put(cluster, backend({ owner: { kind: 'StatefulSet', name: 'backend' } }));
  const after = compile(cluster, {}, before);
  assert.notEqual(after, before);
  assert.ok(before.kind === 'endpoints' && after.kind === 'endpoints');
  assert.notEqual(after.endpoints[0]?.seenAs, before.endpoints[0]?.seenAs);
  assert.equal(after.endpoints[1], before.endpoints[1]);
});

test('a pod that moves to another node is another endpoint, but is not shown again', () => {
  const cluster = aCluster(service(), backend({ nodeName: 'node-1' }));
  const before = compile(cluster);
  put(cluster, backend({ nodeName: 'node-2' }));
  const after = compile(cluster, {}, before);
  assert.ok(before.kind === 'endpoints' && after.kind === 'endpoints');
  assert.notEqual(after.endpoints[0], before.endpoints[0]);
  assert.equal(after.endpoints[0]?.seenAs, before.endpoints[0]?.seenAs);
});

test('an opaque Server that appears and goes changes the hint back and forth', () => {
  const server = aServer({ proxyProtocol: 'opaque', podSelector: labelled({ app: 'backend' }) });
  const cluster = aCluster(service(), backend());
  const protocol = () => shown(compile(cluster))[0]?.hint?.protocol;
  assert.equal(protocol(), 'h2');
  put(cluster, server);
  assert.equal(protocol(), 'opaque');
  remove(cluster, server);
  assert.equal(protocol(), 'h2');
});
