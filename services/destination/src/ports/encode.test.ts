import assert from 'node:assert/strict';
import test from 'node:test';
import { aPod } from '@gatehouse/testing/builders';
import { Update } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import fc from 'fast-check';
import { settings } from '../../testing/a-cluster.ts';
import { ProxyModel } from '../../testing/proxy-model.ts';
import { type Address, endpointOf, zoneLocalities } from '../core/endpoints/endpoint.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { UpdateEncoder } from './encode.ts';
import { Updates } from './updates.ts';

const labels = { service: 'backend', namespace: 'demo' };
const facts = {
  mesh: settings.mesh,
  defaultOpaquePorts: settings.defaultOpaquePorts,
  servers: [],
  labels: {},
};

const address = (ip: string, locality: (typeof zoneLocalities)[number] = 'unknown', port = 8080): Address => {
  const place = { workload: 'p', hostname: '', nodeName: '', zone: 'a', forZones: [], forNodes: [] };
  const candidate = { ip, port, workload: aPod({ name: 'p', ips: [ip] }), place };
  return endpointOf(candidate, facts, undefined).seenAs[locality];
};

const anyAddress = fc
  .record({
    ip: fc.oneof(
      fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.1.${a}.${b}`),
      fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(([a, b]) => `fd00::${a.toString(16)}:${b.toString(16)}`),
    ),
    locality: fc.constantFrom(...zoneLocalities),
    port: fc.constantFrom(8080, 3306, 4191),
  })
  .map(({ ip, locality, port }) => address(ip, locality, port));

test('an addition that is set together from encoded addresses is what the codec would have written', () => {
  const encoder = new UpdateEncoder();
  fc.assert(
    fc.property(fc.array(anyAddress, { minLength: 1, maxLength: 40 }), (addresses) => {
      const bytes = encoder.encode({ kind: 'add', addresses }, labels);
      assert.equal(Buffer.compare(Update.encode(Update.decode(bytes)).finish(), bytes), 0);
      const { update } = Update.decode(bytes);
      assert.ok(update?.$case === 'add');
      assert.equal(update.value.addrs.length, addresses.length);
      assert.deepEqual(update.value.metricLabels, labels);
      assert.deepEqual(
        update.value.addrs.map(({ addr, metricLabels }) => [addr?.port, metricLabels.zone_locality]),
        addresses.map(({ shown, locality }) => [shown.port, locality]),
      );
    }),
  );
});

test('a refresh changes nothing for the proxy', () => {
  const updates = new Updates();
  const addresses = new Map(['10.1.0.1', '10.1.0.2'].map((ip) => [ip, address(ip)]));
  const snapshots: readonly Snapshot[] = [
    { kind: 'addresses', addresses },
    { kind: 'addresses', addresses: new Map() },
    { kind: 'missing' },
  ];
  assert.equal(updates.refresh('nothing', labels), undefined);
  for (const snapshot of snapshots) {
    const model = new ProxyModel();
    const first = updates.next('nothing', snapshot, labels) ?? assert.fail();
    model.take(first.bytes);
    const before = [model.state, new Map(model.pool)];
    model.take(updates.refresh(first.reached, labels) ?? assert.fail());
    assert.deepEqual([model.state, model.pool], before);
  }
});

test('equal sets have equal versions, and others do not', () => {
  const set = (...ips: string[]): Snapshot => ({
    kind: 'addresses',
    addresses: new Map(ips.map((ip) => [ip, address(ip)])),
  });
  const version = (snapshot: Snapshot) => new Updates().said(snapshot, labels)?.version;
  assert.equal(version(set('10.1.0.1', '10.1.0.2')), version(set('10.1.0.1', '10.1.0.2')));
  const all = [set('10.1.0.1'), set('10.1.0.2'), set(), { kind: 'missing' } as const].map(version);
  assert.equal(new Set(all).size, 4);
  assert.equal(new Updates().said('nothing', labels), undefined);
});
