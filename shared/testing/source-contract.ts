import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Change } from '@gatehouse/core/resources/changes';
import { isRejected, type Kind } from '@gatehouse/core/resources/kinds';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Source } from '@gatehouse/platform/kube/source';
import { SourceObserver } from './observe-source.ts';
import { aWireObject, type WireSaid } from './wire-objects.ts';

/** A source with the objects that it watches, which the suite changes. */
export interface SourceFixture extends AsyncDisposable {
  readonly source: Source;
  /** Adds or replaces objects in one step. */
  write(...objects: readonly WireObject[]): Promise<void>;
  remove(...objects: readonly WireObject[]): Promise<void>;
  /** Removes an object behind the source's back, so that it learns of it only by looking at everything again. */
  removeUnseen(object: WireObject): Promise<void>;
  /** The uid that the object has in this fixture: what it says itself, when left out; an API server gives its own. */
  uidOf?(object: WireObject): string;
}

export interface SourceContract {
  /** Whether a write of several objects comes in one batch; an API server sends one event for each. */
  readonly atomicWrites: boolean;
  /** Whether this fixture refuses what breaks a schema, so that no source sees it. */
  readonly validates?: boolean;
  /** Makes a fixture that holds these objects. */
  open(...objects: readonly WireObject[]): Promise<SourceFixture>;
}

const kinds: readonly Kind[] = ['Namespace', 'Service', 'Server', 'NetworkAuthenticationPolicy'];

/** No address that would have to be given, and taken back. */
const clusterIP = 'None';

const aService = (said: WireSaid = {}): WireObject =>
  aWireObject('Service', {
    name: 'web',
    uid: 'web-1',
    spec: { clusterIP, ports: [{ name: 'web', port: 80 }] },
    ...said,
  });

const serviceOnPort = (port: unknown): WireObject =>
  aService({
    spec: {
      clusterIP,
      ports: [
        { name: 'web', port },
        { name: 'tls', port: 443 },
      ],
    },
  });

const aServer = (port: unknown): WireObject =>
  aWireObject('Server', { name: 'web', uid: 'server-1', spec: { podSelector: {}, port } });

/** No schema says that `rule` is a typo of `rules`: which fields there are, only the parser knows. */
const aPolicy = (typo: WireObject = {}): WireObject =>
  aWireObject('NetworkAuthenticationPolicy', {
    name: 'web',
    uid: 'policy-1',
    spec: { target: { selector: {} }, sources: [{ podSelector: {} }], ...typo },
  });

/** An API server has a Service of its own in another namespace, and makes it when it likes. */
const isForeign = (change: Change): boolean =>
  (change.type === 'apply' && change.object.meta.namespace === 'default') ||
  (change.type === 'delete' && change.namespace === 'default');

const said = (observer: SourceObserver, kind: Kind): readonly Change[] =>
  observer.changes.filter(
    (change) => change.type !== 'unreadable' && change.kind === kind && !isForeign(change),
  );

const uidIn = (fixture: SourceFixture, object: WireObject): string =>
  fixture.uidOf?.(object) ?? String((object.metadata as WireObject).uid);

const portsOf = (observer: SourceObserver): readonly number[] =>
  observer.index.get('Service', 'demo', 'web')?.spec.ports.map(({ port }) => port) ?? [];

/** What every source must do, whatever it reads from; `name` is the suite's. */
export const sourceContract = (
  name: string,
  { atomicWrites, validates = false, open }: SourceContract,
): void => {
  /** Opens a fixture, watches it until the first lists are there, and ends all of it after the story. */
  const story = async (
    objects: readonly WireObject[],
    tell: (fixture: SourceFixture, observer: SourceObserver) => Promise<void>,
  ): Promise<void> => {
    await using fixture = await open(...objects);
    const observer = new SourceObserver(fixture.source, kinds);
    try {
      await observer.until((index) => index.isSynced(kinds));
      await tell(fixture, observer);
    } finally {
      await observer.stop();
    }
  };

  suite(`${name} keeps the contract of every source`, () => {
    test('the first thing said of every kind is a reset, of a kind without objects too', () =>
      story([aService()], async (fixture, observer) => {
        for (const kind of kinds) assert.equal(said(observer, kind)[0]?.type, 'reset', kind);
        assert.equal(observer.index.get('Service', 'demo', 'web')?.meta.uid, uidIn(fixture, aService()));
        assert.deepEqual([...observer.index.all('Server')], []);
      }));

    test('an object that is written is applied', () =>
      story([], async (fixture, observer) => {
        await fixture.write(aService());
        await observer.until(() => portsOf(observer).length > 0);
        assert.equal(said(observer, 'Service').at(-1)?.type, 'apply');
      }));

    test('an object that is changed is applied with what it is now', () =>
      story([aService()], async (fixture, observer) => {
        await fixture.write(serviceOnPort(8080));
        await observer.until(() => portsOf(observer).includes(8080));
        assert.deepEqual(portsOf(observer), [8080, 443]);
      }));

    test('an object that is removed is deleted under the uid it had', () =>
      story([aService()], async (fixture, observer) => {
        const uid = uidIn(fixture, aService());
        await fixture.remove(aService());
        await observer.until((index) => index.get('Service', 'demo', 'web') === undefined);
        assert.deepEqual(said(observer, 'Service').at(-1), {
          type: 'delete',
          kind: 'Service',
          namespace: 'demo',
          name: 'web',
          uid,
        });
      }));

    test('an object that vanished unseen is gone once the source has looked at everything again', () =>
      story([aService(), aServer(80)], async (fixture, observer) => {
        await fixture.removeUnseen(aService());
        await observer.until((index) => index.get('Service', 'demo', 'web') === undefined);
        assert.notEqual(observer.index.get('Server', 'demo', 'web'), undefined);
      }));

    test('an object made again under another uid is deleted, then applied; in one batch if both happened in one', () =>
      story([aService()], async (fixture, observer) => {
        const before = uidIn(fixture, aService());
        const begun = observer.batches.length;
        const another = aService({ uid: 'web-2' });
        await fixture.write(another);
        const after = uidIn(fixture, another);
        await observer.until((index) => index.get('Service', 'demo', 'web')?.meta.uid === after);
        assert.notEqual(after, before);
        const told = atomicWrites ? observer.batches.slice(-1) : observer.batches.slice(begun);
        assert.deepEqual(
          told.flat().flatMap((change) => {
            if (change.type === 'unreadable' || change.kind !== 'Service' || isForeign(change)) return [];
            if (change.type === 'delete') return [['delete', change.uid]];
            return change.type === 'apply' ? [['apply', change.object.meta.uid]] : [[change.type]];
          }),
          [
            ['delete', before],
            ['apply', after],
          ],
        );
      }));

    test('objects written in one step come in one batch', { skip: !atomicWrites }, () =>
      story([], async (fixture, observer) => {
        const before = observer.batches.length;
        await fixture.write(aService(), aServer(80), aWireObject('Namespace', { name: 'other' }));
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
      story([aPolicy()], async (fixture, observer) => {
        const spec = () => observer.index.get('NetworkAuthenticationPolicy', 'demo', 'web')?.spec;
        const isRejectedNow = (): boolean => isRejected(spec() ?? {});
        const before = spec();
        assert.equal(isRejectedNow(), false);
        await fixture.write(aPolicy({ rule: [{ methods: ['GET'] }] }));
        await observer.until(isRejectedNow);
        assert.equal(said(observer, 'NetworkAuthenticationPolicy').at(-1)?.type, 'apply');
        await fixture.write(aPolicy());
        await observer.until(() => !isRejectedNow());
        assert.deepEqual(spec(), before);
      }));

    test(
      'a core object that stops parsing loses only the field that cannot be read',
      { skip: validates },
      () =>
        story([serviceOnPort(80)], async (fixture, observer) => {
          await fixture.write(serviceOnPort('eighty'));
          await observer.until(() => !portsOf(observer).includes(80));
          assert.deepEqual(portsOf(observer), [443]);
        }),
    );

    test('what is not different is not said', () =>
      story([aService(), aServer(80)], async (fixture, observer) => {
        await fixture.write(aService());
        await fixture.write(aServer(81));
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
      story([], async (fixture, observer) => {
        await observer.stop();
        const { length } = observer.batches;
        await fixture.write(aService());
        assert.equal(observer.batches.length, length);
      }));

    test('health tells of every kind that its first list is there, and when the source was last alive', () =>
      story([], async (fixture) => {
        const health = fixture.source.health();
        assert.deepEqual(
          health.map(({ kind }) => kind),
          kinds,
        );
        assert.equal(
          health.every(({ synced, staleMs }) => synced && staleMs !== undefined && staleMs >= 0),
          true,
        );
      }));

    test('how long it has been silent is measured on a clock that nobody sets', (t) =>
      story([], async (fixture) => {
        for (const date of [0, Date.now() + 86_400_000]) {
          t.mock.timers.enable({ apis: ['Date'], now: date });
          const ages = fixture.source.health().map(({ staleMs = Number.NaN }) => staleMs);
          t.mock.timers.reset();
          assert.equal(
            ages.every((age) => age >= 0 && age < 3_600_000),
            true,
            `${ages}`,
          );
        }
      }));
  });
};
