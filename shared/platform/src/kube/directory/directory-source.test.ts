import assert from 'node:assert/strict';
import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { GatehouseError } from '@gatehouse/core/error';
import { isRejected, type Kind } from '@gatehouse/core/resources/kinds';
import { asManifest, ManifestFolder } from '@gatehouse/testing/manifest-folder';
import { SourceObserver } from '@gatehouse/testing/observe-source';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { type SourceFixture, sourceContract } from '@gatehouse/testing/source-contract';
import { aWireObject, type WireSaid } from '@gatehouse/testing/wire-objects';
import fc from 'fast-check';
import { silentLog } from '../../log/log.ts';
import type { WireObject } from '../parse/fields.ts';
import { DirectorySource } from './directory-source.ts';

const keyOf = ({ kind, metadata }: WireObject): string =>
  JSON.stringify([kind, metadata && { ...metadata, uid: '' }]);

/** All objects in one manifest, so that one step is one write. */
class FolderWorld implements SourceFixture {
  readonly source: DirectorySource;
  readonly #folder: ManifestFolder;
  readonly #objects = new Map<string, WireObject>();

  constructor(folder: ManifestFolder) {
    this.#folder = folder;
    this.source = new DirectorySource({
      path: folder.path,
      controlPlaneNamespace: 'gatehouse',
      log: silentLog,
      quietMs: 10,
      pollMs: 50,
    });
  }

  async write(...objects: readonly WireObject[]): Promise<void> {
    for (const object of objects) this.#objects.set(keyOf(object), object);
    await this.#folder.put('fixture.yaml', this.#text());
  }

  async remove(...objects: readonly WireObject[]): Promise<void> {
    for (const object of objects) this.#objects.delete(keyOf(object));
    await this.#folder.put('fixture.yaml', this.#text());
  }

  async removeUnseen(object: WireObject): Promise<void> {
    this.#objects.delete(keyOf(object));
    await this.#folder.swap({ 'fixture.yaml': this.#text() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }

  #text(): string {
    return asManifest(...this.#objects.values());
  }
}

sourceContract('the directory source', {
  atomicWrites: true,
  open: async (...objects) => {
    const fixture = new FolderWorld(await ManifestFolder.make());
    await fixture.write(...objects);
    return fixture;
  },
});

const kinds: readonly Kind[] = ['Namespace', 'Service', 'Pod', 'Server', 'NetworkAuthenticationPolicy'];

interface Story {
  readonly folder: ManifestFolder;
  readonly observer: SourceObserver;
  readonly log: RecordingLog;
  readonly source: DirectorySource;
}

/** Watches a folder that holds these files, until the story is told. */
const watching = async (
  files: Readonly<Record<string, string>>,
  tell: (story: Story) => Promise<void>,
  options: { readonly quietMs?: number; readonly patienceMs?: number } = {},
): Promise<void> => {
  await using folder = await ManifestFolder.make();
  for (const [file, text] of Object.entries(files)) await folder.write(file, text);
  const log = new RecordingLog();
  const source = new DirectorySource({
    path: folder.path,
    controlPlaneNamespace: 'gatehouse',
    log,
    quietMs: 10,
    pollMs: 50,
    ...options,
  });
  const observer = new SourceObserver(source, kinds);
  try {
    await observer.until((index) => index.isSynced(kinds));
    await tell({ folder, observer, log, source });
  } finally {
    await observer.stop();
  }
};

const aServer = (said: WireSaid = {}): WireObject =>
  aWireObject('Server', { name: 'web', spec: { podSelector: {}, port: 80 }, ...said });
const aService = (said: WireSaid = {}): WireObject =>
  aWireObject('Service', { name: 'web', spec: { ports: [{ port: 80 }] }, ...said });

const server = ({ index }: SourceObserver) => index.get('Server', 'demo', 'web')?.spec;
const isClosed = (observer: SourceObserver): boolean => isRejected(server(observer) ?? {});
const marker = asManifest(aService({ name: 'marker' }));
const seesMarker = (observer: SourceObserver): Promise<void> =>
  observer.until((index) => index.get('Service', 'demo', 'marker') !== undefined);

suite('the folder', () => {
  test('manifests are found at any depth by their names; hidden names and links out of the folder are not', () =>
    watching({}, async ({ folder, observer, log }) => {
      const named = (name: string): string => asManifest(aService({ name }));
      await using elsewhere = await ManifestFolder.make();
      await elsewhere.write('out.yaml', named('out'));
      await folder.write('a.yaml', named('a'));
      await folder.write('deep/er/b.yml', named('b'));
      await folder.write('c.json', JSON.stringify(aService({ name: 'c' })));
      await folder.write('.hidden/h.yaml', named('h'));
      await folder.write('.h.yaml', named('i'));
      await folder.write('d.yaml.bak', named('j'));
      await symlink(elsewhere.at('out.yaml'), folder.at('out.yaml'));
      await symlink(elsewhere.path, folder.at('outer'));
      await symlink('.hidden/h.yaml', folder.at('linked.yaml'));
      await symlink('deep', folder.at('shallow'));
      await symlink('.', folder.at('loop'));
      await symlink('nowhere.yaml', folder.at('dangling.yaml'));
      await folder.write('z.yaml', marker);
      await seesMarker(observer);
      const names = [...observer.index.in('Service', 'demo').keys()].sort();
      assert.deepEqual(names, ['a', 'b', 'c', 'h', 'marker']);
      assert.equal(log.lines('warn').filter((line) => /^out/.test(line)).length, 2);
    }));

  test('a folder that is not there stops the start and names the path and the variable', async () => {
    const source = new DirectorySource({
      path: '/nowhere/at-all',
      controlPlaneNamespace: 'gatehouse',
      log: silentLog,
    });
    await assert.rejects(
      source.run(kinds, () => {}, new AbortController().signal),
      (error) => {
        assert.equal(error instanceof GatehouseError && error.code, 'failed-precondition');
        assert.match(String(error), /there is no folder \/nowhere\/at-all; GATEHOUSE_SOURCE=directory:PATH/);
        return true;
      },
    );
  });

  test('a file in the place of the folder stops the start too', async () => {
    await using folder = await ManifestFolder.make();
    await folder.write('a.yaml', marker);
    const source = new DirectorySource({
      path: folder.at('a.yaml'),
      controlPlaneNamespace: 'gatehouse',
      log: silentLog,
    });
    await assert.rejects(
      source.run(kinds, () => {}, new AbortController().signal),
      /GATEHOUSE_SOURCE/,
    );
  });

  test('a folder that is removed keeps its last state in force, and is taken up again when it is back', () =>
    watching({ 'a.yaml': asManifest(aServer()) }, async ({ folder, observer, log }) => {
      const away = `${folder.path}-away`;
      await rename(folder.path, away);
      await log.until('warn', /there is no folder/);
      assert.notEqual(server(observer), undefined);
      await writeFile(join(away, 'b.yaml'), marker);
      await rename(away, folder.path);
      await seesMarker(observer);
      assert.notEqual(server(observer), undefined);
      assert.equal(
        log.lines('info').some((line) => line.includes('is back')),
        true,
      );
    }));

  test('directories that appear later are watched too', () =>
    watching({}, async ({ folder, observer }) => {
      await mkdir(folder.at('later'));
      await folder.write('later/a.yaml', marker);
      await seesMarker(observer);
    }));

  test('a source runs once at a time, and again after it ended', () =>
    watching({ 'a.yaml': marker }, async ({ observer, source }) => {
      await assert.rejects(
        source.run(kinds, () => {}, new AbortController().signal),
        /runs already/,
      );
      await observer.stop();
      const second = new SourceObserver(source, ['Service']);
      await seesMarker(second);
      assert.deepEqual(
        second.changes.map(({ type }) => type),
        ['reset'],
      );
      await second.stop();
    }));
});

suite('files', () => {
  test('objects of one file come and go in one batch', () =>
    watching({}, async ({ folder, observer }) => {
      const { length } = observer.batches;
      await folder.put('a.yaml', asManifest(aServer(), aService(), aService({ name: 'marker' })));
      await seesMarker(observer);
      assert.equal(observer.batches.length, length + 1);
      await folder.remove('a.yaml');
      await observer.until((index) => index.get('Service', 'demo', 'marker') === undefined);
      assert.equal(observer.batches.length, length + 2);
      assert.deepEqual([...observer.index.in('Service', 'demo')], []);
    }));

  test('a file that is renamed keeps its objects without a word', () =>
    watching({ 'a.yaml': asManifest(aServer()) }, async ({ folder, observer }) => {
      const { length } = observer.batches;
      await folder.move('a.yaml', 'b.yaml');
      await folder.write('m.yaml', marker);
      await seesMarker(observer);
      const words = observer.batches.slice(length).flat();
      assert.deepEqual(
        words.map((change) => change.type !== 'unreadable' && change.kind),
        ['Service'],
      );
    }));

  test('a manifest that stops being YAML closes its policies, keeps its other objects, and both recover', () =>
    watching({ 'a.yaml': asManifest(aServer(), aService()) }, async ({ folder, observer, log }) => {
      await folder.write('a.yaml', `${asManifest(aServer(), aService())}---\nkind: [`);
      await observer.until(() => isClosed(observer));
      const spec = server(observer);
      assert.deepEqual(spec !== undefined && isRejected(spec) && spec.closes.ports, [
        { kind: 'range', first: 80, last: 80 },
      ]);
      assert.notEqual(observer.index.get('Service', 'demo', 'web'), undefined);
      assert.equal(
        log.lines('warn').some((line) => line.startsWith('a.yaml: cannot be read: line ')),
        true,
      );
      assert.deepEqual(observer.index.unreadable, []);
      await folder.write('a.yaml', asManifest(aServer({ spec: { podSelector: {}, port: 81 } })));
      await observer.until(() => !isClosed(observer));
      assert.equal(observer.index.get('Service', 'demo', 'web'), undefined);
    }));

  test('a manifest that never could be read is told as such, until it can be or is removed', () =>
    watching({ 'a.yaml': 'kind: [', 'b.yaml': marker }, async ({ folder, observer }) => {
      assert.deepEqual(
        observer.index.unreadable.map(({ path }) => path),
        ['a.yaml'],
      );
      await folder.write('c/c.yaml', '{');
      await observer.until((index) => index.unreadable.length === 2);
      await folder.write('a.yaml', asManifest(aServer()));
      await observer.until((index) => index.unreadable.length === 1);
      assert.notEqual(server(observer), undefined);
      await folder.remove('c');
      await observer.until((index) => index.unreadable.length === 0);
    }));

  test('a file that is written to without a pause is not waited for at the start, and closes everything until it rests', async () => {
    await using folder = await ManifestFolder.make();
    await folder.write('busy.yaml', marker);
    const writer = new AbortController();
    const busy = (async () => {
      while (!writer.signal.aborted) await folder.write('busy.yaml', `${marker}# ${performance.now()}\n`);
    })();
    const source = new DirectorySource({
      path: folder.path,
      controlPlaneNamespace: 'gatehouse',
      log: silentLog,
      quietMs: 2_000,
      patienceMs: 50,
    });
    const observer = new SourceObserver(source, kinds);
    await using end = new AsyncDisposableStack();
    end.defer(() => observer.stop());
    end.defer(() => busy);
    end.defer(() => writer.abort());
    await observer.until((index) => index.isSynced(kinds));
    assert.deepEqual(
      observer.index.unreadable.map(({ path }) => path),
      ['busy.yaml'],
    );
    writer.abort();
    await busy;
    await folder.put('busy.yaml', marker);
    await seesMarker(observer);
    assert.deepEqual(observer.index.unreadable, []);
  });

  test('a file that is longer than a manifest may be is not read, and says so', () =>
    watching({ 'b.yaml': marker }, async ({ folder, observer, log }) => {
      await folder.write('a.yaml', '');
      await truncate(folder.at('a.yaml'), 8 * 1024 * 1024 + 1);
      await observer.until((index) => index.unreadable.length === 1);
      const [line] = log.lines('warn').filter((each) => each.startsWith('a.yaml'));
      assert.match(line ?? '', /8388609 bytes: a manifest has at most 8388608: split it/);
    }));

  test('a file that is not a manifest is named once, without a warning, and closes nothing', () =>
    watching({ 'chart/values.yaml': 'image: { tag: 1 }\n' }, async ({ folder, observer, log }) => {
      await folder.write('m.yaml', marker);
      await seesMarker(observer);
      const said = [...log.lines('info'), ...log.lines('warn')].filter((line) =>
        line.includes('values.yaml'),
      );
      assert.deepEqual(said, [
        'chart/values.yaml: no document says its apiVersion and kind, so the file is ignored',
      ]);
      assert.deepEqual([observer.index.unreadable, log.lines('warn')], [[], []]);
    }));

  test('what is wrong is said once, and again only after it was right in between', () =>
    watching({ 'a.yaml': asManifest(aServer({ spec: {} })) }, async ({ folder, observer, log }) => {
      const said = (): number =>
        log.lines('warn').filter((line) => line.includes('Server demo/web is rejected')).length;
      assert.equal(said(), 1);
      await folder.write('m.yaml', marker);
      await seesMarker(observer);
      assert.equal(said(), 1);
      await folder.write('a.yaml', asManifest(aServer()));
      await observer.until(() => !isClosed(observer));
      await folder.write('a.yaml', asManifest(aServer({ spec: {} })));
      await observer.until(() => isClosed(observer));
      assert.equal(said(), 2);
    }));
});

const everything = (observer: SourceObserver): unknown => ({
  unreadable: observer.index.unreadable,
  objects: kinds
    .flatMap((kind) => [...observer.index.all(kind)].map((object) => JSON.stringify(object)))
    .sort(),
});

const texts: readonly string[] = [
  asManifest(aServer()),
  asManifest(aServer(), aService()),
  asManifest(aService({ uid: 'another' })),
  asManifest(aWireObject('Pod', { name: 'a', spec: {} }), aWireObject('Namespace', { name: 'demo' })),
  'kind: [',
];
const aFile = fc.constantFrom('a.yaml', 'b.yaml', 'deep/c.yaml');
const aStep = fc.oneof(
  fc.record({ do: fc.constant('write' as const), file: aFile, text: fc.constantFrom(...texts) }),
  fc.record({ do: fc.constant('put' as const), file: aFile, text: fc.constantFrom(...texts) }),
  fc.record({ do: fc.constant('move' as const), file: aFile, to: aFile }),
  fc.record({ do: fc.constant('remove' as const), file: aFile }),
);

test('whatever happened to the folder, an old source comes to know what a new one reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 12 }), async (steps) =>
      watching({}, async ({ folder, observer }) => {
        const there = new Set<string>();
        for (const step of steps) {
          if ((step.do === 'move' || step.do === 'remove') && !there.has(step.file)) continue;
          there.delete(step.file);
          if (step.do === 'move') {
            await mkdir(folder.at('deep'), { recursive: true });
            await folder.move(step.file, step.to);
            there.add(step.to);
          } else if (step.do === 'remove') await folder.remove(step.file);
          else {
            await folder[step.do](step.file, step.text);
            there.add(step.file);
          }
        }
        // A manifest that is broken in the end is remembered by what it held, so in the end all are whole.
        for (const file of there) await folder.write(file, `${texts[there.size % 4]}`);
        const fresh = new SourceObserver(
          new DirectorySource({
            path: folder.path,
            controlPlaneNamespace: 'gatehouse',
            log: silentLog,
            quietMs: 10,
          }),
          kinds,
        );
        await fresh.until((index) => index.isSynced(kinds));
        await observer.until(() => isDeepStrictEqual(everything(observer), everything(fresh)));
        await fresh.stop();
      }),
    ),
    { numRuns: 12 },
  );
});
