import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Change, Source } from '../src/kube/changes.ts';
import { isRejected, type Kind } from '../src/kube/kinds.ts';
import type { WireObject } from '../src/kube/parse/fields.ts';
import { SourceObserver } from './observe-source.ts';
import { aWireObject, type WireSaid } from './wire-objects.ts';

/** A source with the world that it watches, which the suite changes. */
export interface SourceWorld extends AsyncDisposable {
  readonly source: Source;
  /** Adds or replaces objects in one step. */
  write(...objects: readonly WireObject[]): Promise<void>;
  remove(...objects: readonly WireObject[]): Promise<void>;
  /** Removes an object behind the source's back, so that it learns of it only by looking at everything again. */
  removeUnseen(object: WireObject): Promise<void>;
}

export interface SourceContract {
  /** Whether a write of several objects comes in one batch; an API server sends one event for each. */
  readonly atomicWrites: boolean;
  /** Makes a world that holds these objects. */
  open(...objects: readonly WireObject[]): Promise<SourceWorld>;
}

const kinds: readonly Kind[] = ['Namespace', 'Service', 'Server', 'NetworkAuthenticationPolicy'];

const aService = (said: WireSaid = {}): WireObject =>
  aWireObject('Service', {
    name: 'web',
    uid: 'web-1',
    spec: { clusterIP: '10.0.0.1', ports: [{ port: 80 }] },
    ...said,
  });

const serviceOnPort = (port: unknown): WireObject =>
  aService({ spec: { clusterIP: '10.0.0.1', ports: [{ port }, { port: 443 }] } });

const aServer = (port: unknown): WireObject =>
  aWireObject('Server', { name: 'web', uid: 'server-1', spec: { podSelector: {}, port } });

const said = (observer: SourceObserver, kind: Kind): readonly Change[] =>
  observer.changes.filter((change) => change.type !== 'unreadable' && change.kind === kind);

const portsOf = (observer: SourceObserver): readonly number[] =>
  observer.index.get('Service', 'demo', 'web')?.spec.ports.map(({ port }) => port) ?? [];

/** What every source must do, whatever it reads from; `name` is the suite's. */
export const sourceContract = (name: string, { atomicWrites, open }: SourceContract): void => {
  /** Opens a world, watches it until the first lists are there, and ends all of it after the story. */
  const story = async (
    objects: readonly WireObject[],
    tell: (world: SourceWorld, observer: SourceObserver) => Promise<void>,
  ): Promise<void> => {
    await using world = await open(...objects);
    const observer = new SourceObserver(world.source, kinds);
    try {
      await observer.until((index) => index.isSynced(kinds));
      await tell(world, observer);
    } finally {
      await observer.stop();
    }
  };

  suite(`${name} keeps the contract of every source`, () => {
    test('the first thing said of every kind is a reset, of a kind without objects too', () =>
      story([aService()], async (_world, observer) => {
        for (const kind of kinds) assert.equal(said(observer, kind)[0]?.type, 'reset', kind);
        assert.equal(observer.index.get('Service', 'demo', 'web')?.meta.uid, 'web-1');
        assert.deepEqual([...observer.index.all('Server')], []);
      }));

    test('an object that is written is applied', () =>
      story([], async (world, observer) => {
        await world.write(aService());
        await observer.until(() => portsOf(observer).length > 0);
        assert.equal(said(observer, 'Service').at(-1)?.type, 'apply');
      }));

    test('an object that is changed is applied with what it is now', () =>
      story([aService()], async (world, observer) => {
        await world.write(serviceOnPort(8080));
        await observer.until(() => portsOf(observer).includes(8080));
        assert.deepEqual(portsOf(observer), [8080, 443]);
      }));

    test('an object that is removed is deleted under the uid it had', () =>
      story([aService()], async (world, observer) => {
        await world.remove(aService());
        await observer.until((index) => index.get('Service', 'demo', 'web') === undefined);
        assert.deepEqual(said(observer, 'Service').at(-1), {
          type: 'delete',
          kind: 'Service',
          namespace: 'demo',
          name: 'web',
          uid: 'web-1',
        });
      }));

    test('an object that vanished unseen is gone once the source has looked at everything again', () =>
      story([aService(), aServer(80)], async (world, observer) => {
        await world.removeUnseen(aService());
        await observer.until((index) => index.get('Service', 'demo', 'web') === undefined);
        assert.notEqual(observer.index.get('Server', 'demo', 'web'), undefined);
      }));

    test('an object made again under another uid is deleted, then applied, in one batch', () =>
      story([aService()], async (world, observer) => {
        await world.write(aService({ uid: 'web-2' }));
        await observer.until((index) => index.get('Service', 'demo', 'web')?.meta.uid === 'web-2');
        const batch = observer.batches.at(-1)?.filter(({ type }) => type !== 'unreadable');
        assert.deepEqual(
          batch?.map((change) => [change.type, change.type === 'delete' ? change.uid : '']),
          [
            ['delete', 'web-1'],
            ['apply', ''],
          ],
        );
      }));

    test('objects written in one step come in one batch', { skip: !atomicWrites }, () =>
      story([], async (world, observer) => {
        const before = observer.batches.length;
        await world.write(aService(), aServer(80), aWireObject('Namespace', { name: 'other' }));
        await observer.until((index) => index.get('Namespace', '', 'other') !== undefined);
        const named = observer.batches
          .slice(before)
          .map((batch) =>
            batch.flatMap((change) =>
              change.type === 'apply' ? [`${change.kind} ${change.object.meta.name}`] : [],
            ),
          );
        assert.equal(named.length, 1);
        for (const each of ['Service web', 'Server web', 'Namespace other'])
          assert.equal(named[0]?.includes(each), true);
      }),
    );

    test('a policy object that stops parsing is rejected in place of its old spec, until it parses again', () =>
      story([aServer(80)], async (world, observer) => {
        const spec = () => observer.index.get('Server', 'demo', 'web')?.spec;
        const isRejectedNow = (): boolean => isRejected(spec() ?? {});
        await world.write(aServer('80'));
        await observer.until(isRejectedNow);
        assert.equal(said(observer, 'Server').at(-1)?.type, 'apply');
        await world.write(aServer(81));
        await observer.until(() => !isRejectedNow());
        assert.deepEqual(spec(), {
          podSelector: { matchLabels: {}, matchExpressions: [] },
          port: { kind: 'range', first: 81, last: 81 },
          proxyProtocol: 'unknown',
          accessPolicy: 'deny',
        });
      }));

    test('a core object that stops parsing loses only the field that cannot be read', () =>
      story([serviceOnPort(80)], async (world, observer) => {
        await world.write(serviceOnPort('eighty'));
        await observer.until(() => !portsOf(observer).includes(80));
        assert.deepEqual(portsOf(observer), [443]);
      }));

    test('what is not different is not said', () =>
      story([aService(), aServer(80)], async (world, observer) => {
        await world.write(aService());
        await world.write(aServer(81));
        await observer.until((index) => JSON.stringify(index.get('Server', 'demo', 'web')).includes('81'));
        assert.deepEqual(
          said(observer, 'Service').map(({ type }) => type),
          ['reset'],
        );
      }));

    test('kinds that nobody asked for are not said', () =>
      story(
        [aWireObject('NetworkAuthentication', { spec: { networks: [{ cidr: '10.0.0.0/8' }] } })],
        async (_, observer) => {
          assert.deepEqual(said(observer, 'NetworkAuthentication'), []);
        },
      ));

    test('a source that is told to end says nothing more', () =>
      story([], async (world, observer) => {
        await observer.stop();
        const { length } = observer.batches;
        await world.write(aService());
        assert.equal(observer.batches.length, length);
      }));

    test('health tells of every kind that its first list is there, and when the source was last alive', () =>
      story([], async (world) => {
        const health = world.source.health();
        assert.deepEqual(
          health.map(({ kind }) => kind),
          kinds,
        );
        assert.equal(
          health.every(({ synced, aliveAt }) => synced && aliveAt > 0 && aliveAt <= Date.now()),
          true,
        );
      }));
  });
};
