import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWire } from '@gatehouse/testing/wire-objects';

const kind = 'ExternalWorkload';
const tls = { identity: 'spiffe://a/b', serverName: 'a.b' };

test('a workload outside the cluster has an identity, addresses and TCP ports', () => {
  const { spec, warnings } = readWire(kind, {
    spec: {
      meshTLS: tls,
      workloadIPs: [{ ip: '192.0.2.1' }, { ip: '2001:db8:0::1' }],
      ports: [
        { port: 80, name: 'http' },
        { port: 53, protocol: 'UDP' },
        { port: 443, protocol: 'TCP' },
      ],
    },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  assert.deepEqual(spec, {
    ...tls,
    ips: ['192.0.2.1', '2001:db8::1'],
    ports: [
      { name: 'http', port: 80 },
      { name: '', port: 443 },
    ],
    ready: true,
  });
  assert.deepEqual(warnings, []);
});

test('what made it is known where exactly one thing did', () => {
  const owner = (...kinds: readonly string[]) =>
    readWire(kind, {
      metadata: { ownerReferences: kinds.map((each) => ({ kind: each, name: 'vms' })) },
      spec: { meshTLS: tls },
    }).spec.owner;
  assert.deepEqual(owner('ExternalGroup'), { kind: 'ExternalGroup', name: 'vms' });
  assert.equal(owner('ExternalGroup', 'Fleet'), undefined);
  assert.equal(owner(), undefined);
});

test('the older version spells one field in another way', () => {
  const { spec, warnings } = readWire(kind, { version: 'v1alpha1', spec: { meshTls: tls } });
  assert.deepEqual(spec, { ...tls, ips: [], ports: [], ready: false });
  assert.deepEqual(warnings, []);
});

test('a field that cannot be read costs that field, and an identity that cannot be read is nobody', () => {
  const { spec, warnings } = readWire(kind, {
    spec: { meshTLS: { identity: 1 }, workloadIPs: [{ ip: 'x' }, { ip: '192.0.2.1' }], ports: [{}] },
  });
  assert.deepEqual(spec, {
    identity: '',
    serverName: '',
    ips: ['192.0.2.1'],
    ports: [],
    unreadPorts: true,
    ready: false,
  });
  assert.equal(warnings.length, 4);
});
