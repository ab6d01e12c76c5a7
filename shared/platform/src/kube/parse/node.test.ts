import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWire } from '@gatehouse/testing/wire-objects';

test('a node is its zone and its addresses', () => {
  const { object, warnings } = readWire('Node', {
    name: 'node-a',
    metadata: { labels: { 'topology.kubernetes.io/zone': 'a' } },
    status: {
      addresses: [
        { type: 'InternalIP', address: '192.0.2.1' },
        { type: 'ExternalIP', address: '198.51.100.1' },
        { type: 'InternalIP', address: '192.0.2.1' },
        { type: 'Hostname', address: 'node-a' },
      ],
    },
  });
  assert.deepEqual(
    [object.meta.namespace, object.spec, warnings],
    ['', { zone: 'a', ips: ['192.0.2.1', '198.51.100.1'] }, []],
  );
});

test('a node that says nothing has no zone and no address', () => {
  assert.deepEqual(readWire('Node', {}).spec, { zone: '', ips: [] });
});

test('an address that cannot be read costs that address', () => {
  const addresses = [{ type: 'InternalIP', address: 'x' }];
  assert.deepEqual(readWire('Node', { status: { addresses } }).warnings, [
    'status.addresses[0].address: `x` is not a valid IP address: an IPv4 or IPv6 address without prefix',
  ]);
});
