import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import fc from 'fast-check';
import type { WireObject } from '../parse/fields.ts';
import { composeWorld } from './folder-objects.ts';
import { FolderState } from './folder-state.ts';
import type { Manifest } from './manifest.ts';
import type { FileRead } from './read-manifest.ts';
import type { Listing } from './scan-folder.ts';
import type { Stamp } from './settled-files.ts';

const quietMs = 50;

/** A disk and a clock that the test turns, in whole milliseconds. */
class Disk {
  now = 0;
  readonly #files = new Map<string, { readonly text: string; readonly stamp: Stamp }>();
  readonly closed = new Map<string, { field: string; found: string; fix: string }>();
  /** Paths that change while they are read, once. */
  readonly unsteady = new Set<string>();
  #inodes = 0;

  #stamp(text: string, file = `${this.#inodes++}`, written = this.now): Stamp {
    const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n;
    return { file, size: BigInt(text.length), mtimeNs: ns(written), ctimeNs: ns(this.now) };
  }

  write(path: string, text: string): void {
    this.#files.set(path, { text, stamp: this.#stamp(text, this.#files.get(path)?.stamp.file) });
  }

  /** A file that was written somewhere else a while ago. */
  renameIn(path: string, text: string): void {
    this.#files.set(path, { text, stamp: this.#stamp(text, undefined, this.now - 5) });
  }

  move(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file === undefined || from === to) return;
    this.#files.delete(from);
    this.#files.set(to, { ...file, stamp: { ...file.stamp, ctimeNs: BigInt(this.now) * 1_000_000n } });
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  list(): Listing {
    const isOpen = (path: string): boolean =>
      ![...this.closed.keys()].some((blocked) => path === blocked || path.startsWith(`${blocked}/`));
    const open = [...this.#files].filter(([path]) => isOpen(path));
    return {
      kind: 'listing',
      files: new Map(open.map(([path, { stamp }]) => [path, stamp])),
      directories: new Map(),
      closed: this.closed,
      ignoredLinks: new Map(),
    };
  }

  async read(path: string): Promise<FileRead> {
    if (this.unsteady.delete(path)) return { kind: 'changed' };
    const file = this.#files.get(path);
    return file === undefined
      ? { kind: 'changed' }
      : { kind: 'bytes', bytes: new TextEncoder().encode(file.text) };
  }
}

/** Walks until nothing is under way any more. */
const settle = async (disk: Disk, state: FolderState): Promise<void> => {
  for (let walks = 0; walks < 100; walks += 1) {
    const { wakeAt } = await state.take(disk.list(), disk.now);
    if (wakeAt === undefined) return;
    disk.now = Math.max(disk.now + 1, Math.ceil(wakeAt));
  }
  throw new Error('the folder does not settle');
};

const stateOf = (disk: Disk): FolderState => new FolderState({ quietMs, read: (path) => disk.read(path) });
const paths = (state: FolderState): readonly string[] =>
  state.manifests.map(({ path, state: { kind } }: Manifest) => `${path} ${kind}`).sort();
const object = (name: string): WireObject => aWireObject('Service', { name, spec: {} });

suite('a closed directory', () => {
  const problem = { field: '', found: 'EACCES', fix: 'open it' };

  test('keeps what is known to be in it, broken, until it can be read again', async () => {
    const disk = new Disk();
    const state = stateOf(disk);
    disk.write('in/a.yaml', asManifest(object('a')));
    disk.write('b.yaml', asManifest(object('b')));
    await settle(disk, state);
    disk.closed.set('in', problem);
    await settle(disk, state);
    disk.now += 1_000;
    assert.equal((await state.take(disk.list(), disk.now)).changed, false);
    assert.deepEqual(paths(state), ['b.yaml read', 'in/a.yaml broken']);
    disk.closed.delete('in');
    await settle(disk, state);
    assert.deepEqual(paths(state), ['b.yaml read', 'in/a.yaml read']);
  });

  test('is itself unreadable when nobody knows what is in it', async () => {
    const disk = new Disk();
    const state = stateOf(disk);
    disk.write('in/a.yaml', asManifest(object('a')));
    disk.closed.set('in', problem);
    await settle(disk, state);
    assert.deepEqual(paths(state), ['in unreadable']);
    disk.closed.delete('in');
    await settle(disk, state);
    assert.deepEqual(paths(state), ['in/a.yaml read']);
  });
});

test('a file that changed while it was read is read again, and what it replaces stays until then', async () => {
  const disk = new Disk();
  const state = stateOf(disk);
  disk.write('a.yaml', asManifest(object('a')));
  await settle(disk, state);
  disk.now += 10;
  disk.move('a.yaml', 'b.yaml');
  disk.unsteady.add('b.yaml');
  await state.take(disk.list(), disk.now);
  assert.deepEqual(paths(state), ['a.yaml read']);
  await settle(disk, state);
  assert.deepEqual(paths(state), ['b.yaml read']);
});

test('a file that is given up on is unreadable until it rests', async () => {
  const disk = new Disk();
  const state = stateOf(disk);
  disk.write('a.yaml', asManifest(object('a')));
  const { pending } = await state.take(disk.list(), disk.now);
  state.giveUpOn(pending);
  assert.deepEqual(paths(state), ['a.yaml unreadable']);
  await settle(disk, state);
  assert.deepEqual(paths(state), ['a.yaml read']);
});

suite('an object that vanishes while another manifest is broken', () => {
  const server = aWireObject('Server', { name: 'web', spec: { podSelector: {}, port: 80 } });
  const [a, b] = [asManifest(object('a')), asManifest(object('b'))];
  const unreadable = 'kind: [';

  interface Folder {
    readonly disk: Disk;
    readonly state: FolderState;
  }

  const aFolder = async (moving: WireObject = server): Promise<Folder> => {
    const disk = new Disk();
    const state = stateOf(disk);
    disk.write('a.yaml', asManifest(object('a'), moving));
    disk.write('b.yaml', b);
    disk.write('c.yaml', asManifest(object('c')));
    await settle(disk, state);
    disk.now += 1_000;
    return { disk, state };
  };
  /** Both files are written together. */
  const move = async ({ disk, state }: Folder): Promise<void> => {
    disk.write('a.yaml', a);
    disk.write('b.yaml', unreadable);
    await settle(disk, state);
    disk.now += 1_000;
  };
  const objectsOf = ({ state }: Folder) => composeWorld(state.manifests, 'gatehouse').objects;
  const fateOf = (folder: Folder): string => {
    const found = objectsOf(folder).get('Server/demo/web');
    if (found === undefined) return 'gone';
    return isRejected(found.spec) ? found.spec.rejected.map(printProblem).join() : 'in force';
  };
  const perhapsIn = (path: string): RegExp =>
    new RegExp(`^${path}: cannot be read, and may hold what a.yaml no longer does: `);

  test('is rejected, as it may have been moved there', async () => {
    const folder = await aFolder();
    assert.equal(fateOf(folder), 'in force');
    await move(folder);
    assert.match(fateOf(folder), perhapsIn('b.yaml'));
  });

  test('is rejected also when the other manifest is read in a later walk', async () => {
    const folder = await aFolder();
    const { disk, state } = folder;
    disk.write('a.yaml', a);
    await state.take(disk.list(), disk.now);
    disk.now += quietMs - 1;
    disk.write('b.yaml', unreadable);
    await state.take(disk.list(), disk.now);
    disk.now += 1;
    assert.deepEqual((await state.take(disk.list(), disk.now)).pending, ['b.yaml']);
    await settle(disk, state);
    assert.match(fateOf(folder), perhapsIn('b.yaml'));
  });

  test('is rejected also while a third file is never at rest', async () => {
    const disk = new Disk();
    const folder = { disk, state: stateOf(disk) };
    const walk = async (times: number): Promise<void> => {
      for (let walked = 0; walked < times; walked += 1) {
        disk.now += quietMs;
        disk.write('never-at-rest.yaml', `# ${disk.now}`);
        await folder.state.take(disk.list(), disk.now);
      }
    };
    disk.write('a.yaml', asManifest(object('a'), server));
    disk.write('b.yaml', b);
    await walk(3);
    assert.equal(fateOf(folder), 'in force');
    disk.write('a.yaml', a);
    disk.write('b.yaml', unreadable);
    await walk(3);
    assert.match(fateOf(folder), perhapsIn('b.yaml'));
  });

  for (const [what, repair] of [
    ['can be read', (disk: Disk) => disk.write('b.yaml', b)],
    ['is removed', (disk: Disk) => disk.remove('b.yaml')],
  ] as const)
    test(`is gone as soon as that one ${what}`, async () => {
      const folder = await aFolder();
      await move(folder);
      repair(folder.disk);
      await settle(folder.disk, folder.state);
      assert.equal(fateOf(folder), 'gone');
    });

  test('is rejected as long as any manifest is broken that may hold it', async () => {
    const folder = await aFolder();
    folder.disk.write('c.yaml', unreadable);
    await move(folder);
    folder.disk.write('b.yaml', b);
    await settle(folder.disk, folder.state);
    assert.match(fateOf(folder), perhapsIn('c.yaml'));
  });

  for (const path of ['a.yaml', 'b.yaml', 'c.yaml'])
    test(`is in force again when it is found in ${path}`, async () => {
      const folder = await aFolder();
      await move(folder);
      folder.disk.write(path, asManifest(object('x'), server));
      await settle(folder.disk, folder.state);
      assert.equal(fateOf(folder), 'in force');
    });

  test('stays as it was when it is a Namespace, whose annotations restrict its pods', async () => {
    const annotations = { 'config.linkerd.io/default-inbound-policy': 'deny' };
    const folder = await aFolder(aWireObject('Namespace', { name: 'demo', metadata: { annotations } }));
    await move(folder);
    assert.deepEqual(objectsOf(folder).get('Namespace//demo')?.meta.annotations, annotations);
  });

  test('is gone when it restricts nothing', async () => {
    const folder = await aFolder(object('restricts-nothing'));
    await move(folder);
    assert.equal(objectsOf(folder).has('Service/demo/restricts-nothing'), false);
  });
});

const manifests: readonly string[] = [
  asManifest(object('a')),
  asManifest(object('b'), aWireObject('Server', { name: 'a', spec: { podSelector: {}, port: 80 } })),
  asManifest(aWireObject('Server', { name: 'a', spec: { podSelector: {}, port: 81 } })),
  asManifest(
    aWireObject('Pod', { name: 'a', spec: {} }),
    aWireObject('Namespace', { name: 'demo', metadata: { annotations: { 'linkerd.io/inject': 'enabled' } } }),
  ),
  asManifest(
    aWireObject('Pod', { name: 'a', uid: 'other', status: { podIP: '127.64.0.1' } }),
    aWireObject('Pod', { name: 'b' }),
  ),
  '',
];
const halves: readonly string[] = [
  'kind: [',
  'apiVersion: v1\n',
  ...manifests.map((text) => text.slice(0, text.length / 2)),
];

const aPath = fc.constantFrom('a.yaml', 'b.yaml', 'deep/c.yaml');
const aText = fc.constantFrom(...manifests, ...halves);
const aStep = fc.oneof(
  fc.record({ do: fc.constant('write' as const), path: aPath, text: aText }),
  fc.record({ do: fc.constant('rename in' as const), path: aPath, text: aText }),
  fc.record({ do: fc.constant('move' as const), path: aPath, to: aPath }),
  fc.record({ do: fc.constant('remove' as const), path: aPath }),
  fc.record({ do: fc.constant('walk' as const), unsteady: fc.option(aPath, { nil: undefined }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }),
);

const act = async (
  disk: Disk,
  state: FolderState,
  step: typeof aStep extends fc.Arbitrary<infer S> ? S : never,
): Promise<void> => {
  switch (step.do) {
    case 'write':
      return disk.write(step.path, step.text);
    case 'rename in':
      return disk.renameIn(step.path, step.text);
    case 'move':
      return disk.move(step.path, step.to);
    case 'remove':
      return disk.remove(step.path);
    case 'wait':
      disk.now += step.ms;
      return;
    case 'walk':
      if (step.unsteady !== undefined) disk.unsteady.add(step.unsteady);
      disk.now += 1;
      await state.take(disk.list(), disk.now);
      disk.unsteady.clear();
  }
};

test('whatever was written, renamed and removed before, the world is that of a fresh start on what is there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aStep, { maxLength: 30 }),
      fc.array(fc.tuple(aPath, fc.constantFrom(...manifests))),
      async (steps, last) => {
        const disk = new Disk();
        const state = stateOf(disk);
        disk.now = 10;
        for (const step of steps) await act(disk, state, step);
        // A half manifest is remembered by what it was before, so in the end all are whole.
        for (const path of ['a.yaml', 'b.yaml', 'deep/c.yaml']) {
          const whole = last.find(([each]) => each === path);
          disk.now += 1;
          if (whole === undefined) disk.remove(path);
          else disk.write(path, whole[1]);
        }
        await settle(disk, state);
        const fresh = stateOf(disk);
        await settle(disk, fresh);
        const [lived, started] = [state, fresh].map((each) => composeWorld(each.manifests, 'gatehouse'));
        assert.deepEqual(lived, started);
      },
    ),
  );
});
