import assert from 'node:assert/strict';
import test from 'node:test';
import { anEndpointSlice } from '@gatehouse/testing/builders';
import { aCluster, aClusterWith, remove } from '../../../testing/a-cluster.ts';
import {
  backend,
  compile,
  dual,
  identity,
  inSlice,
  keys,
  service,
  shown,
} from '../../../testing/endpoint-sets.ts';

test('two slices of one pod give it once, where its proxy listens', () => {
  const target = { kind: 'Pod', namespace: 'demo', name: 'backend-0' };
  const slice = (name: string, family: 4 | 6, ip: string) =>
    anEndpointSlice({
      name,
      service: 'backend',
      family,
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [inSlice({ addresses: [ip], target })],
    });
  const cluster = aCluster(
    service(),
    backend({ ...dual, proxyListensOn: 'IPv4' }),
    slice('backend-v4', 4, '10.1.0.1'),
    slice('backend-v6', 6, 'fd00::1'),
  );
  assert.deepEqual(keys(compile(cluster)), ['10.1.0.1:8080']);
});

const slice = (said: Parameters<typeof anEndpointSlice>[0] = {}) =>
  anEndpointSlice({ name: 'backend-abc', service: 'backend', endpoints: [inSlice()], ...said });

test('a Service with slices has their endpoints, whatever its selector selects', () => {
  const extra = backend({ name: 'backend-1', ips: ['10.1.0.2'] });
  const cluster = aCluster(service(), backend(), extra, slice({ ports: [{ name: 'http', port: 9090 }] }));
  assert.deepEqual(
    shown(compile(cluster)).map(({ ip, port, identity: id }) => ({ ip, port, id })),
    [{ ip: '10.1.0.1', port: 9090, id: identity }],
  );
});

test('a slice serves the Service port of the same name and no other', () => {
  const named = { ports: [{ name: 'admin', port: 9090 }] };
  assert.deepEqual(keys(compile(aCluster(service(), backend(), slice(named)))), []);
});

test('endpoints that are not ready, or whose pod nobody knows, are left out', () => {
  assert.deepEqual(
    keys(compile(aCluster(service(), backend(), slice({ endpoints: [inSlice({ ready: false })] })))),
    [],
  );
  assert.deepEqual(keys(compile(aCluster(service(), slice()))), []);
  const ended = backend({ phase: 'Failed', ready: false });
  assert.deepEqual(keys(compile(aCluster(service(), ended, slice()))), []);
  const external = inSlice({ target: { kind: 'ExternalWorkload', namespace: 'demo', name: 'vm' } });
  assert.deepEqual(keys(compile(aCluster(service(), slice({ endpoints: [external] })))), []);
});

test('a slice cannot lend the identity of another namespace to its addresses', () => {
  const foreign = inSlice({ target: { kind: 'Pod', namespace: 'other', name: 'backend-0' } });
  const cluster = aCluster(service(), backend({ namespace: 'other' }), slice({ endpoints: [foreign] }));
  assert.deepEqual(keys(compile(cluster)), []);
});

test('a cluster whose controllers write slices has no endpoints but theirs', () => {
  const written = { slices: 'written' } as const;
  assert.deepEqual(keys(compile(aClusterWith(written, service(), backend()))), []);
  assert.deepEqual(keys(compile(aClusterWith(written, service(), backend(), slice()))), ['10.1.0.1:8080']);
});

test('an endpoint that is neither a pod nor an ExternalWorkload is a bare address', () => {
  const node = inSlice({
    addresses: ['192.0.2.1'],
    target: { kind: 'Node', namespace: '', name: 'node-1' },
  });
  const [found] = shown(compile(aCluster(service(), slice({ endpoints: [node] }))));
  assert.deepEqual(found, { ip: '192.0.2.1', port: 8080, labels: {}, identity: undefined, hint: undefined });
});

test('an address without a pod behind it is shown bare', () => {
  const bare = inSlice({ addresses: ['192.0.2.1'], target: undefined, zone: 'b' });
  assert.deepEqual(shown(compile(aCluster(service(), slice({ endpoints: [bare] })))), [
    { ip: '192.0.2.1', port: 8080, labels: { zone: 'b' }, identity: undefined, hint: undefined },
  ]);
});

test('an endpoint that is in two slices for a while is given once', () => {
  const cluster = aCluster(service(), backend(), slice(), slice({ name: 'backend-xyz' }));
  assert.deepEqual(keys(compile(cluster)), ['10.1.0.1:8080']);
});

test('deleting a slice takes its addresses away, although their pods are gone already', () => {
  const [pod, first, second] = [backend(), slice(), slice({ name: 'backend-xyz', endpoints: [] })];
  const cluster = aCluster(service(), pod, first, second);
  const before = compile(cluster);
  assert.deepEqual(keys(before), ['10.1.0.1:8080']);
  remove(cluster, pod);
  remove(cluster, first);
  assert.deepEqual(keys(compile(cluster, {}, before)), []);
});
