import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { kindOf } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { aServer } from './builders.ts';
import { FakeSource } from './fake-source.ts';
import { SourceObserver } from './observe-source.ts';
import { type SourceFixture, sourceContract } from './source-contract.ts';

const objectOf = (wire: WireObject): KubeObject => {
  const group = String(wire.apiVersion).split('/').slice(0, -1).join('/');
  const kind = kindOf(group, String(wire.kind));
  const read = kind === undefined ? undefined : readObject(kind, wire);
  if (read?.outcome !== 'read') throw new TypeError(`no object: ${JSON.stringify(wire)}`);
  return read.object;
};

class FakeSourceFixture implements SourceFixture {
  readonly source: FakeSource;
  readonly #objects = new Map<string, KubeObject>();

  constructor(objects: readonly KubeObject[]) {
    this.source = new FakeSource(...objects);
    for (const object of objects) this.#objects.set(object.meta.uid, object);
  }

  async write(...objects: readonly WireObject[]): Promise<void> {
    this.source.put(...objects.map(objectOf));
  }

  async remove(...objects: readonly WireObject[]): Promise<void> {
    this.source.remove(...objects.map(objectOf));
  }

  async removeUnseen(wire: WireObject): Promise<void> {
    const gone = objectOf(wire);
    const rest = [...this.#objects.values()].filter(
      ({ kind, meta }) => kind === gone.kind && meta.uid !== gone.meta.uid,
    );
    this.source.relist(gone.kind, ...rest);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

sourceContract('the fake source', {
  atomicWrites: true,
  open: async (...objects) => new FakeSourceFixture(objects.map(objectOf)),
});

test('the fake source says which manifests are unreadable, first and later', async () => {
  const source = new FakeSource(aServer());
  const manifest = {
    path: 'a.yaml',
    problem: { field: '', found: 'x', fix: 'y' },
    namespaces: 'all' as const,
  };
  source.unreadable(manifest);
  const observer = new SourceObserver(source, ['Server']);
  assert.deepEqual(observer.index.unreadable, [manifest]);
  source.unreadable();
  assert.deepEqual(observer.index.unreadable, []);
  await observer.stop();
});
