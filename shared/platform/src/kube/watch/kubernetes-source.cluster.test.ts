import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { ClusterSourceFixture } from '@gatehouse/testing/cluster-source-fixture';
import { SourceObserver } from '@gatehouse/testing/observe-source';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { sourceContract } from '@gatehouse/testing/source-contract';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';

const { assets, skip } = realApiServerAssets();
const timeout = 120_000;

suite('the Kubernetes source on a real API server', { skip, timeout: 5 * timeout }, () => {
  let cluster: RealCluster;
  before(async () => {
    cluster = await RealCluster.start(assets);
  });
  after(() => cluster[Symbol.asyncDispose]());

  sourceContract('the Kubernetes source on a real API server', {
    atomicWrites: false,
    validates: true,
    open: (...objects) => ClusterSourceFixture.open(cluster, objects),
  });

  const kinds: readonly Kind[] = ['Namespace', 'Pod', 'Service', 'Server', 'NetworkAuthenticationPolicy'];

  /** What is known of a kind in the namespace of the test, beside what the server has. */
  const both = async (observer: SourceObserver, kind: Kind): Promise<readonly [unknown, unknown]> => [
    uidsOf([...observer.index.in(kind, 'demo').values()].map(({ meta }) => meta)),
    uidsOf((await cluster.list(kind, 'demo')).map(({ metadata }) => metadata as Meta)),
  ];

  const told = async (
    objects: readonly WireObject[],
    tell: (fixture: ClusterSourceFixture, observer: SourceObserver) => Promise<void>,
  ): Promise<void> => {
    await using fixture = await ClusterSourceFixture.open(cluster, objects);
    const observer = new SourceObserver(fixture.source, kinds);
    try {
      await observer.until((index) => index.isSynced(kinds));
      await tell(fixture, observer);
    } finally {
      await observer.stop();
    }
  };

  test('an API server that is restarted with its etcd loses nothing', { timeout }, () =>
    told([aServer('before')], async (fixture, observer) => {
      await cluster.server.restart();
      await fixture.write(aServer('after'));
      await observer.until((index) => index.get('Server', 'demo', 'after') !== undefined);
      for (const kind of ['Server', 'Service'] as const) assert.deepEqual(...(await both(observer, kind)));
      // After a restart the server no longer knows what happened before it, and the list that follows is a reset.
      for (const change of observer.changes) {
        assert.notEqual(change.type, 'delete');
        if (change.type !== 'reset' || change.kind !== 'Server') continue;
        assert.ok(change.objects.some(({ meta }) => meta.name === 'before'));
      }
    }),
  );

  test('an API server that comes back with an older etcd is believed', { timeout }, () =>
    told([aServer('old')], async (fixture, observer) => {
      let copy = '';
      await cluster.server.restart(async (etcd) => {
        copy = await etcd.save();
      });
      await fixture.write(aServer('lost'), aServer('lost-too'));
      await observer.until((index) => index.get('Server', 'demo', 'lost-too') !== undefined);
      await cluster.server.restart((etcd) => etcd.restore(copy));
      await observer.until(
        (index) =>
          index.get('Server', 'demo', 'lost') === undefined &&
          index.get('Server', 'demo', 'lost-too') === undefined,
      );
      assert.deepEqual(...(await both(observer, 'Server')));
      await fixture.write(aServer('new'));
      await observer.until((index) => index.get('Server', 'demo', 'new') !== undefined);
      assert.deepEqual(...(await both(observer, 'Server')));
    }),
  );

  test('10,000 objects come in pages, whole, and in one batch', { timeout: 300_000 }, async () => {
    const pods = Array.from({ length: 10_000 }, (_, at) => aPod(`pod-${at}`));
    await told(pods, async (_world, observer) => {
      const resets = observer.changes.flatMap((change) =>
        change.type === 'reset' && change.kind === 'Pod' ? [change.objects.length] : [],
      );
      assert.deepEqual(resets, [10_000]);
      assert.deepEqual(...(await both(observer, 'Pod')));
    });
  });
});

const aServer = (name: string): WireObject =>
  aWireObject('Server', { name, spec: { podSelector: {}, port: 80 } });

const aPod = (name: string): WireObject =>
  aWireObject('Pod', { name, spec: { containers: [{ name: 'app', image: 'app' }] } });

interface Meta {
  readonly name: string;
  readonly uid: string;
}

const uidsOf = (metas: readonly Meta[]): readonly string[] =>
  metas.map(({ name, uid }) => `${name} ${uid}`).sort();
