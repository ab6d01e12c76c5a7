import assert from 'node:assert/strict';
import test from 'node:test';
import type { KindFacts } from '@gatehouse/core/dependency/kind-facts';
import type { Authority } from '@gatehouse/core/mesh/service-authority';
import { portSet } from '@gatehouse/core/port-set';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { aService } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { outboundFromIndex } from './outbound-from-index.ts';
import { OutboundRows, type OutboundWatch, outboundKinds, watchedForOutbound } from './rows.ts';

const config = {
  clusterDomain: 'cluster.local',
  defaultOpaquePorts: portSet([{ first: 3306, last: 3306 }]),
  detectTimeoutMs: 10_000,
};

const targets: readonly Authority[] = [
  { kind: 'service', namespace: 'demo', name: 'a', port: 80, instance: undefined },
  { kind: 'service', namespace: 'demo', name: 'a', port: 81, instance: undefined },
  { kind: 'service', namespace: 'demo', name: 'b', port: 80, instance: undefined },
  { kind: 'address', ip: '10.32.0.1', port: 80 },
  { kind: 'address', ip: 'fd01::1', port: 80 },
];

interface Reader {
  readonly target: Authority;
  version: string;
}

/** The rows behind an index, with readers that hear what streams would, and ask again when theirs ends. */
class OutboundRowsFixture {
  readonly index = new ResourceIndex();
  readonly rows: OutboundRows<Reader>;
  readonly watches = new Map<Reader, OutboundWatch<Reader>>();
  messages = 0;

  constructor(kinds: KindFacts<'Service'> = outboundKinds) {
    this.rows = new OutboundRows<Reader>({
      index: this.index,
      config,
      encode: (policy) => ({ bytes: Buffer.alloc(0), version: JSON.stringify(policy), refresh: true }),
      kinds,
    });
  }

  apply(...changes: readonly Change[]): void {
    const { sends, gone } = this.rows.refresh(this.index.apply(changes));
    for (const { encoded, watches } of sends) {
      for (const { reader } of watches) {
        reader.version = encoded.version;
        this.messages += 1;
      }
    }
    for (const reader of gone) this.watches.delete(reader);
  }

  put(...services: readonly KubeObject<'Service'>[]): void {
    this.apply(...services.map((object): Change => ({ type: 'apply', kind: 'Service', object })));
  }

  watchAll(): void {
    for (const target of targets) {
      if ([...this.watches.keys()].some((reader) => reader.target === target)) continue;
      const reader: Reader = { target, version: '' };
      const watch = this.rows.watch(target, reader);
      if (watch === undefined) continue;
      reader.version = watch.row.encoded.version;
      this.watches.set(reader, watch);
    }
  }
}

const objects = {
  Service: fc
    .record({
      name: fc.constantFrom('a', 'b'),
      uid: fc.constantFrom('one', 'two'),
      createdAt: fc.constantFrom(0, 1),
      clusterIps: fc.constantFrom([], ['10.32.0.1'], ['fd01::1'], ['10.32.0.1', 'fd01::0:1']),
      ports: fc.constantFrom(
        [],
        [{ name: 'http', port: 80, targetPort: 8080, appProtocol: undefined }],
        [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }],
      ),
    })
    .map(aService),
} satisfies { readonly [K in (typeof watchedForOutbound)[number]]: fc.Arbitrary<KubeObject> };

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: objects.Service.map((object): Change => ({ type: 'apply', kind: 'Service', object })),
  },
  {
    weight: 3,
    arbitrary: objects.Service.map(
      ({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as unknown as Change,
    ),
  },
  { weight: 1, arbitrary: fc.constant<Change>({ type: 'reset', kind: 'Service', objects: [] }) },
);

/** After any batches every watched row is what a look at everything would compile, and its readers have it. */
const neverStale = (kinds: KindFacts<'Service'>) =>
  fc.property(fc.array(fc.array(anyChange, { minLength: 1, maxLength: 3 }), { maxLength: 15 }), (batches) => {
    const fixture = new OutboundRowsFixture(kinds);
    for (const batch of batches) {
      fixture.apply(...batch);
      for (const { target, version } of fixture.watches.keys()) {
        const policy = outboundFromIndex(fixture.index, target, config);
        assert.equal(version, JSON.stringify(policy), 'a watch outlived its Service, or was not told');
      }
      fixture.watchAll();
    }
    for (const watch of fixture.watches.values()) fixture.rows.unwatch(watch);
    assert.equal(fixture.rows.size, 0);
  });

test('after any batches every watched row is what a look at every Service would compile, and its readers have it', () => {
  fc.assert(neverStale(outboundKinds), { numRuns: 300 });
});

test('each kind of the table is needed: struck out, rows go stale and the property notices', () => {
  assert.deepEqual(watchedForOutbound, ['Service']);
  const { failed } = fc.check(neverStale({ Service: () => [] }), { numRuns: 2_000, endOnFailure: true });
  assert.equal(failed, true);
});

test('clients of one target share a row, and hear nothing of a change that leaves it as it was', () => {
  const fixture = new OutboundRowsFixture();
  const service = aService({ name: 'a', clusterIps: ['10.32.0.1'] });
  fixture.put(service);
  const target = targets[0] as Authority;
  for (let at = 0; at < 3; at++) fixture.rows.watch(target, { target, version: '' });
  assert.equal(fixture.rows.size, 1);
  fixture.put({ ...service, meta: { ...service.meta, labels: { changed: 'yes' } } });
  assert.equal(fixture.messages, 0);
});
