import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAuthority } from '@gatehouse/core/mesh/service-authority';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import {
  anEndpointSlice,
  anExternalWorkload,
  aPod,
  aRejected,
  aServer,
  aService,
  aServiceProfile,
  aSliceEndpoint,
} from '@gatehouse/testing/builders';
import { aCluster, put, remove } from '../../../testing/a-cluster.ts';
import type { Cluster } from '../cluster.ts';
import { compileProfile, type Profile } from './profile.ts';

const compile = (cluster: Cluster, path: string, previous?: Profile, clientNamespace = ''): Profile => {
  const target = parseAuthority(path, 'cluster.local');
  return target.ok
    ? compileProfile(cluster, { target: target.value, clientNamespace }, previous).value
    : assert.fail(path);
};

const pod = (said: Parameters<typeof aPod>[0] = {}) =>
  aPod({ name: 'backend-0', ips: ['10.1.0.1'], ...said, labels: { app: 'backend', ...said.labels } });
const service = (said: Parameters<typeof aService>[0] = {}) =>
  aService({ name: 'backend', clusterIps: ['10.32.0.1'], ...said });
const hostPort = (said: Parameters<typeof aPod>[0] = {}) =>
  pod({ hostIps: ['192.168.0.7'], ports: [{ name: '', port: 8080, hostPort: 30080 }], ...said });

const named = {
  kind: 'service',
  namespace: 'demo',
  name: 'backend',
  port: 80,
  opaque: false,
  routing: { kind: 'none' },
};
/** An endpoint by its address and whether it is meshed. */
const at = (address: string, meshed = true, opaque = false) => ({
  kind: 'endpoint',
  address,
  meshed,
  opaque,
});
const unknown = (opaque = false) => ({ kind: 'unknown-address', opaque });
const contested = (...claimants: readonly string[]) => ({
  kind: 'contested-address',
  claimants,
  count: claimants.length,
  opaque: false,
});
const nothing = (reason: string) => ({ kind: 'nothing', reason });

const brief = (profile: Profile): object => {
  if (profile.kind !== 'endpoint') return profile;
  const { ip, port, identity } = profile.endpoint.seenAs.unknown.shown;
  return at(`${ip} ${port}`, identity !== undefined, profile.opaque);
};

const opaquePorts = (ports: string) => ({ annotations: { 'config.linkerd.io/opaque-ports': ports } });

const cases: readonly (readonly [string, readonly KubeObject[], string, object])[] = [
  ['a cluster IP', [service()], '10.32.0.1:80', named],
  ['each of several cluster IPs', [service({ clusterIps: ['10.32.0.9', 'fd01::1'] })], '[fd01::1]:80', named],
  ['a name', [service()], 'backend.demo.svc.cluster.local:80', named],
  [
    'a Service whose annotation lists the port',
    [service(opaquePorts('80'))],
    '10.32.0.1:80',
    { ...named, opaque: true },
  ],
  [
    'a Service whose annotation names the port',
    [service(opaquePorts('http'))],
    '10.32.0.1:80',
    { ...named, opaque: true },
  ],
  ['a port that the Service does not declare', [service()], '10.32.0.1:81', nothing('no-port')],
  [
    'one cluster IP of two Services: the older one answers',
    [service({ name: 'a-newer', createdAt: 2 }), service({ createdAt: 1 })],
    '10.32.0.1:80',
    named,
  ],
  ['a Service that is not there', [], 'backend.demo.svc.cluster.local:80', nothing('no-service')],
  [
    'an alias',
    [service({ type: 'ExternalName', clusterIps: [] })],
    'backend.demo.svc.cluster.local:80',
    nothing('external-name'),
  ],
  ['a pod IP', [pod()], '10.1.0.1:8080', at('10.1.0.1 8080')],
  ['a port that no container declares', [pod()], '10.1.0.1:9999', at('10.1.0.1 9999')],
  ['a pod that is not ready', [pod({ ready: false })], '10.1.0.1:8080', at('10.1.0.1 8080')],
  [
    'a pod that is still Pending, whose proxy may listen already',
    [pod({ phase: 'Pending', ready: false })],
    '10.1.0.1:8080',
    at('10.1.0.1 8080'),
  ],
  ['an unmeshed pod', [pod({ meshed: false })], '10.1.0.1:8080', at('10.1.0.1 8080', false)],
  ['an opaque port of a pod', [pod(opaquePorts('8080'))], '10.1.0.1:8080', at('10.1.0.1 8080', true, true)],
  [
    'an opaque port by Server',
    [pod(), aServer({ proxyProtocol: 'opaque' })],
    '10.1.0.1:8080',
    at('10.1.0.1 8080', true, true),
  ],
  ['a terminating pod', [pod({ deletedAt: 1 })], '10.1.0.1:8080', unknown()],
  ['a pod that has ended', [pod({ phase: 'Succeeded', ready: false })], '10.1.0.1:8080', unknown()],
  [
    "a hostNetwork pod's address, which is the node's",
    [pod({ hostNetwork: true })],
    '10.1.0.1:8080',
    unknown(),
  ],
  [
    'an address that an ending pod left to a new one',
    [pod({ deletedAt: 1 }), pod({ name: 'other', meshed: false })],
    '10.1.0.1:8080',
    at('10.1.0.1 8080', false),
  ],
  [
    'an address that two pods claim: the one started last has it',
    [pod({ startedAt: 1, createdAt: 2 }), pod({ name: 'newer', startedAt: 2, createdAt: 1, meshed: false })],
    '10.1.0.1:8080',
    at('10.1.0.1 8080', false),
  ],
  [
    'a pod whose proxy does not listen on the address',
    [pod({ ips: ['10.1.0.1', 'fd00::1'], proxyListensOn: 'IPv4' })],
    '[fd00::1]:8080',
    at('10.1.0.1 8080'),
  ],
  [
    'an unmeshed pod with such an environment',
    [pod({ ips: ['10.1.0.1', 'fd00::1'], proxyListensOn: 'IPv4', meshed: false })],
    '[fd00::1]:8080',
    at('fd00::1 8080', false),
  ],
  [
    'an instance whose proxy listens on IPv4 alone',
    [
      service({ clusterIps: ['fd01::1'] }),
      pod({
        ips: ['10.1.0.1', 'fd00::1'],
        proxyListensOn: 'IPv4',
        hostname: 'backend-0',
        subdomain: 'backend',
      }),
    ],
    'backend-0.backend.demo.svc.cluster.local:80',
    at('10.1.0.1 80'),
  ],
  [
    'a hostPort of an init container',
    [hostPort({ ports: [{ name: '', port: 8080, hostPort: 30080, init: true }] })],
    '192.168.0.7:30080',
    unknown(),
  ],
  [
    'the former address of a pod that has ended, though that was created and started later',
    [
      pod({ startedAt: 1 }),
      pod({ name: 'job', phase: 'Succeeded', createdAt: 9, startedAt: 9, meshed: false }),
    ],
    '10.1.0.1:8080',
    at('10.1.0.1 8080'),
  ],
  [
    'an address that two pods claim, and nothing tells whose it is',
    [pod(), pod({ name: 'other', meshed: false })],
    '10.1.0.1:8080',
    contested('demo/backend-0', 'demo/other'),
  ],
  [
    'such an address with a port opaque by default',
    [pod(), pod({ name: 'other', meshed: false })],
    '10.1.0.1:3306',
    { ...contested('demo/backend-0', 'demo/other'), opaque: true },
  ],
  ["a host's address and a pod's hostPort", [hostPort()], '192.168.0.7:30080', at('10.1.0.1 8080')],
  ['a hostPort that no pod has', [hostPort()], '192.168.0.7:30081', unknown()],
  [
    'a hostPort that two pods claim: the one started last has it',
    [hostPort({ startedAt: 1 }), hostPort({ name: 'newer', ips: ['10.1.0.2'], startedAt: 2 })],
    '192.168.0.7:30080',
    at('10.1.0.2 8080'),
  ],
  ["an ended pod's hostPort", [hostPort({ terminated: true })], '192.168.0.7:30080', unknown()],
  ['an address that nobody has', [], '192.0.2.1:80', unknown()],
  ['such an address with a port opaque by default', [], '192.0.2.1:3306', unknown(true)],
  [
    'an instance: at the port that was asked for, where a client without a mesh would arrive',
    [service({ clusterIps: [] }), pod({ hostname: 'backend-0', subdomain: 'backend' })],
    'backend-0.backend.demo.svc.cluster.local:80',
    at('10.1.0.1 80'),
  ],
  ["an ExternalWorkload's address", [anExternalWorkload()], '192.0.2.9:8080', at('192.0.2.9 8080')],
  ['a port that it does not declare', [anExternalWorkload()], '192.0.2.9:8081', unknown()],
  [
    'an opaque port of an ExternalWorkload',
    [anExternalWorkload(opaquePorts('http'))],
    '192.0.2.9:8080',
    at('192.0.2.9 8080', true, true),
  ],
  [
    'an ExternalWorkload that nobody can recognise',
    [anExternalWorkload({ identity: '' })],
    '192.0.2.9:8080',
    unknown(),
  ],
  [
    'an address that a pod and an ExternalWorkload have: the pod is in the cluster',
    [anExternalWorkload({ ips: ['10.1.0.1'] }), pod({ meshed: false })],
    '10.1.0.1:8080',
    at('10.1.0.1 8080', false),
  ],
  [
    'a port that two ExternalWorkloads declare at one address',
    [anExternalWorkload({ name: 'vm-1' }), anExternalWorkload({ name: 'vm-2' })],
    '192.0.2.9:8080',
    contested('demo/vm-1', 'demo/vm-2'),
  ],
  [
    'an instance that is not there',
    [service({ clusterIps: [] }), pod()],
    'backend-0.backend.demo.svc.cluster.local:80',
    nothing('no-instance'),
  ],
  ['an instance of no Service', [], 'backend-0.backend.demo.svc.cluster.local:80', nothing('no-service')],
];

test('a profile says who stands behind a name or an address', () => {
  assert.equal(cases.length, 43);
  for (const [says, objects, path, expected] of cases) {
    assert.deepEqual(brief(compile(aCluster(...objects), path)), expected, says);
  }
});

test('the endpoint of a profile says its namespace, which no set says for it', () => {
  const profile = compile(aCluster(pod()), '10.1.0.1:8080');
  assert.deepEqual(profile.kind === 'endpoint' && profile.endpoint.seenAs.unknown.shown.labels, {
    namespace: 'demo',
    pod: 'backend-0',
    serviceaccount: 'default',
    control_plane_ns: 'gatehouse',
  });
});

const endpoint = (address: string, said: Partial<SliceEndpoint> = {}): SliceEndpoint =>
  aSliceEndpoint({
    addresses: [address],
    hostname: 'web',
    target: { kind: 'Pod', namespace: 'demo', name: 'backend-0' },
    ...said,
  });

const instance = 'web.backend.demo.svc.cluster.local:80';
const headless = service({ clusterIps: [] });
const sliceWith = (...endpoints: readonly SliceEndpoint[]) =>
  anEndpointSlice({ name: 'v4', service: 'backend', endpoints });

test('an instance that is not ready has a profile: others may have to reach it to become ready', () => {
  const cluster = aCluster(headless, pod(), sliceWith(endpoint('10.1.0.1', { ready: false })));
  assert.deepEqual(brief(compile(cluster, instance)), at('10.1.0.1 80'));
});

test('an instance that is not a pod has a profile by its address', () => {
  const bare = sliceWith(endpoint('192.0.2.1', { target: undefined }));
  assert.deepEqual(brief(compile(aCluster(headless, bare), instance)), at('192.0.2.1 80', false));
});

test('an instance whose pod is not known has none', () => {
  assert.deepEqual(
    compile(aCluster(headless, sliceWith(endpoint('10.1.0.1'))), instance),
    nothing('no-instance'),
  );
});

const profileIn = (namespace: string, said: Parameters<typeof aServiceProfile>[0] = {}) =>
  aServiceProfile({ namespace, name: 'backend.demo.svc.cluster.local', ...said });

/** Whose ServiceProfile applies to a client of the namespace. */
const routingTo = (cluster: Cluster, client: string): string => {
  const profile = compile(cluster, 'backend.demo.svc.cluster.local:80', undefined, client);
  if (profile.kind !== 'service') return assert.fail(profile.kind);
  const { routing } = profile;
  return routing.kind === 'none' ? 'none' : `${routing.kind} of ${routing.namespace}`;
};

test("a client's own ServiceProfile goes before the Service's, for its namespace alone", () => {
  const own = profileIn('client');
  const cluster = aCluster(service(), profileIn('demo'), own);
  assert.equal(routingTo(cluster, 'client'), 'profile of client');
  assert.equal(routingTo(cluster, 'other'), 'profile of demo');
  assert.equal(routingTo(cluster, ''), 'profile of demo');
  remove(cluster, own);
  assert.equal(routingTo(cluster, 'client'), 'profile of demo');
  assert.equal(routingTo(aCluster(service()), 'client'), 'none');
});

test('a rejected ServiceProfile keeps its place, and nothing of it applies', () => {
  const cluster = aCluster(
    service(),
    profileIn('demo'),
    aRejected('ServiceProfile', { namespace: 'client', name: 'backend.demo.svc.cluster.local' }),
  );
  assert.equal(routingTo(cluster, 'client'), 'rejected of client');
  assert.equal(routingTo(cluster, 'demo'), 'profile of demo');
});

test('a ServiceProfile that changes is another profile, and one that stays is the same', () => {
  const path = 'backend.demo.svc.cluster.local:80';
  const cluster = aCluster(service(), profileIn('demo'));
  const before = compile(cluster, path);
  put(cluster, service({ labels: { touched: 'by nothing that anybody sees' } }));
  assert.equal(compile(cluster, path, before), before);
  put(cluster, profileIn('demo', { overrides: [{ authority: 'a.b', weightMilli: 1 }] }));
  assert.notEqual(compile(cluster, path, before), before);
});

test('an opaque Server makes open profiles opaque, and its end undoes that', () => {
  const cluster = aCluster(pod());
  const isOpaque = (): boolean => {
    const profile = compile(cluster, '10.1.0.1:8080');
    return profile.kind === 'endpoint' && profile.opaque;
  };
  const server = aServer({ proxyProtocol: 'opaque' });
  assert.equal(isOpaque(), false);
  put(cluster, server);
  assert.equal(isOpaque(), true);
  remove(cluster, server);
  assert.equal(isOpaque(), false);
});

test('an instance with both families is shown by IPv6, as Get has it', () => {
  const cluster = aCluster(
    service({ clusterIps: [] }),
    pod({ ips: ['10.1.0.1', 'fd00::1'] }),
    anEndpointSlice({ name: 'v4', service: 'backend', endpoints: [endpoint('10.1.0.1')] }),
    anEndpointSlice({ name: 'v6', service: 'backend', family: 6, endpoints: [endpoint('fd00::1')] }),
  );
  assert.deepEqual(brief(compile(cluster, instance)), at('fd00::1 80'));
});

test('a profile that says the same as before is the same object', () => {
  const cluster = aCluster(service(), pod(), hostPort({ name: 'other', ips: ['10.1.0.2'] }));
  for (const path of ['10.32.0.1:80', '10.1.0.1:8080', '192.168.0.7:30080', '192.0.2.1:80', '10.32.0.1:81']) {
    const before = compile(cluster, path);
    assert.equal(compile(cluster, path, before), before, path);
  }
  const before = compile(cluster, '10.1.0.1:8080');
  put(cluster, pod({ annotations: { 'config.linkerd.io/opaque-ports': '8080' } }));
  assert.notEqual(compile(cluster, '10.1.0.1:8080', before), before);
});
