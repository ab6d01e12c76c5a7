import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWire, type WireSaid } from '@gatehouse/testing/wire-objects';

const metadata = { labels: { 'kubernetes.io/service-name': 'web' } };

test('a slice is read with its endpoints, hints and targets', () => {
  const { spec, warnings } = readWire('EndpointSlice', {
    metadata,
    addressType: 'IPv6',
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'any' },
    ],
    endpoints: [
      {
        addresses: ['FD00::1'],
        conditions: { ready: false, serving: true },
        hostname: 'web-0',
        nodeName: 'node-a',
        zone: 'a',
        hints: { forZones: [{ name: 'a' }, { name: 'b' }], forNodes: [{ name: 'node-a' }] },
        targetRef: { kind: 'Pod', name: 'web-0' },
      },
      { addresses: ['fd00::2', '10.0.0.1'], targetRef: { kind: 'Pod', namespace: 'other', name: 'x' } },
      { addresses: [] },
    ],
  });
  assert.deepEqual(warnings, []);
  const plain = { hostname: '', nodeName: '', zone: '', forZones: [], forNodes: [] };
  assert.deepEqual(spec, {
    service: 'web',
    family: 6,
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [
      {
        addresses: ['fd00::1'],
        ready: false,
        hostname: 'web-0',
        nodeName: 'node-a',
        zone: 'a',
        forZones: ['a', 'b'],
        forNodes: ['node-a'],
        target: { kind: 'Pod', namespace: 'demo', name: 'web-0' },
      },
      {
        ...plain,
        addresses: ['fd00::2'],
        ready: true,
        target: { kind: 'Pod', namespace: 'other', name: 'x' },
      },
    ],
  });
});

test('a slice of host names has no endpoints', () => {
  const { spec } = readWire('EndpointSlice', {
    metadata,
    addressType: 'FQDN',
    endpoints: [{ addresses: ['a.example'] }],
  });
  assert.deepEqual(spec, { service: 'web', family: 4, ports: [], endpoints: [] });
});

const unreadable: readonly (readonly [said: WireSaid, warning: string])[] = [
  [{ addressType: 'IPv5' }, 'addressType: `IPv5` is not known here: did you mean `IPv4`?'],
  [{ endpoints: {} }, 'endpoints: an empty object is not a list: write a list'],
  [
    { endpoints: [{ addresses: ['x'] }] },
    'endpoints[0].addresses[0]: `x` is not a valid IP address: an IPv4 or IPv6 address without prefix',
  ],
  [
    { ports: [{ port: 0 }] },
    'ports[0].port: the number 0 is not a number from 1 to 65535: a whole number, without quotes',
  ],
];

test('a field that cannot be read costs that field', () => {
  for (const [said, warning] of unreadable) {
    const { spec, warnings } = readWire('EndpointSlice', { metadata, ...said });
    assert.deepEqual([spec, warnings], [{ service: 'web', family: 4, ports: [], endpoints: [] }, [warning]]);
  }
  assert.equal(unreadable.length, 4);
});
