import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aNamespace, aPod, aServer } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import type { Change, ChangeOf } from './changes.ts';
import type { Kind, KubeObject } from './kinds.ts';
import { ResourceIndex } from './resource-index.ts';

const reset = <K extends Kind>(kind: K, ...objects: KubeObject<K>[]): Change =>
  ({ type: 'reset', kind, objects }) as ChangeOf<K> as Change;
const apply = <K extends Kind>(object: KubeObject<K>): Change =>
  ({ type: 'apply', kind: object.kind, object }) as ChangeOf<K> as Change;
const remove = ({ kind, meta: { namespace, name, uid } }: KubeObject): Change =>
  ({ type: 'delete', kind, namespace, name, uid }) as Change;

const a1 = aPod({ name: 'a', uid: 'uid-1' });
const a2 = aPod({ name: 'a', uid: 'uid-2' });
const b = aPod({ name: 'b' });
const elsewhere = aPod({ name: 'a', namespace: 'other' });

const indexOf = (...changes: Change[]): ResourceIndex => {
  const index = new ResourceIndex();
  index.apply(changes);
  return index;
};

test('an applied object is found by kind, namespace and name, and by no other', () => {
  const index = indexOf(apply(a1), apply(elsewhere), apply(aServer({ name: 'a' })));
  assert.equal(index.get('Pod', 'demo', 'a'), a1);
  assert.equal(index.get('Pod', 'other', 'a'), elsewhere);
  assert.equal(index.get('Pod', 'demo', 'b'), undefined);
  assert.equal(index.get('Service', 'demo', 'a'), undefined);
  assert.deepEqual([...index.in('Pod', 'demo').keys()], ['a']);
  assert.deepEqual(index.namespacesOf('Pod'), ['demo', 'other']);
  assert.deepEqual([...index.all('Pod')], [a1, elsewhere]);
});

test('cluster-scoped objects live in the namespace without a name', () => {
  const namespace = aNamespace({ name: 'demo' });
  const index = indexOf(apply(namespace));
  assert.equal(index.get('Namespace', '', 'demo'), namespace);
});

test('a deleted object is gone, and so is its empty namespace', () => {
  const index = indexOf(apply(a1), apply(b), remove(a1));
  assert.deepEqual([...index.in('Pod', 'demo').keys()], ['b']);
  index.apply([remove(b)]);
  assert.deepEqual([index.namespacesOf('Pod'), [...index.all('Pod')]], [[], []]);
});

test('a delete of an earlier life does not touch the object that was made again', () => {
  const index = indexOf(apply(a1), apply(a2));
  assert.deepEqual(index.apply([remove(a1)]), []);
  assert.equal(index.get('Pod', 'demo', 'a'), a2);
});

test('deleted and made again in one batch is one change with both lives', () => {
  const index = indexOf(apply(a1));
  assert.deepEqual(index.apply([remove(a1), apply(a2)]), [{ kind: 'Pod', before: a1, after: a2 }]);
});

test('a reset replaces everything of its kind and nothing of another', () => {
  const server = aServer({ name: 's' });
  const index = indexOf(apply(a1), apply(b), apply(server));
  const touched = index.apply([reset('Pod', a2, elsewhere)]);
  assert.deepEqual(touched, [
    { kind: 'Pod', before: a1, after: a2 },
    { kind: 'Pod', before: undefined, after: elsewhere },
    { kind: 'Pod', before: b, after: undefined },
  ]);
  assert.deepEqual([...index.all('Pod')], [a2, elsewhere]);
  assert.equal(index.get('Server', 'demo', 's'), server);
});

test('a reset is atomic: who reads while it is applied sees all of the old or all of the new', () => {
  const index = indexOf(reset('Pod', a1, b));
  const seen: number[] = [];
  const watchful: readonly KubeObject<'Pod'>[] = {
    *[Symbol.iterator]() {
      for (const name of ['x', 'y', 'z']) {
        seen.push([...index.all('Pod')].length);
        yield aPod({ name });
      }
    },
  } as unknown as readonly KubeObject<'Pod'>[];
  index.apply([{ type: 'reset', kind: 'Pod', objects: watchful }]);
  assert.deepEqual([seen, [...index.all('Pod')].length], [[2, 2, 2], 3]);
});

test('a reset to nothing empties the kind, which is then known to be empty', () => {
  const index = indexOf(apply(a1));
  assert.ok(!index.isSynced(['Pod']));
  assert.deepEqual(index.apply([reset('Pod')]), [{ kind: 'Pod', before: a1, after: undefined }]);
  assert.deepEqual([index.isSynced(['Pod']), index.isSynced(['Pod', 'Server'])], [true, false]);
});

test('many changes of one object in a batch are one, and those that cancel out are none', () => {
  const index = indexOf(apply(b));
  assert.deepEqual(index.apply([apply(a1), remove(a1), apply(a2)]), [
    { kind: 'Pod', before: undefined, after: a2 },
  ]);
  assert.deepEqual(index.apply([remove(a2), apply(a2)]), []);
  const passing = aPod({ name: 'passing' });
  assert.deepEqual(index.apply([apply(passing), remove(passing)]), []);
  assert.equal(index.get('Pod', 'demo', 'a'), a2);
});

test('unreadable manifests replace what was said of them before, and touch no object', () => {
  const problem = { field: '', found: 'no YAML', fix: 'fix it' };
  const manifests = [{ path: 'a.yaml', problem, namespaces: ['demo'] }];
  const index = indexOf(apply(a1), { type: 'unreadable', manifests });
  assert.deepEqual(index.unreadable, manifests);
  assert.deepEqual(index.apply([{ type: 'unreadable', manifests: [] }]), []);
  assert.deepEqual(index.unreadable, []);
  assert.equal(index.get('Pod', 'demo', 'a'), a1);
});

test('what one index knows is not known to another', () => {
  indexOf(apply(a1));
  assert.deepEqual([...new ResourceIndex().all('Pod')], []);
});

// A world small enough that names meet: two kinds, two namespaces, two names, two lives.
const world = (['Pod', 'Server'] as const).flatMap((kind) =>
  ['n', 'm'].flatMap((namespace) =>
    ['a', 'b'].flatMap((name) =>
      ['1', '2'].map((uid) =>
        kind === 'Pod' ? aPod({ namespace, name, uid }) : aServer({ namespace, name, uid }),
      ),
    ),
  ),
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...world).map((object) => apply(object)),
  fc.constantFrom(...world).map((object) => remove(object)),
  fc.constantFrom('Pod' as const, 'Server' as const).chain((kind) =>
    fc
      .uniqueArray(fc.constantFrom(...world.filter((object) => object.kind === kind)), {
        selector: ({ meta }) => `${meta.namespace}/${meta.name}`,
      })
      .map((objects) => ({ type: 'reset', kind, objects }) as Change),
  ),
);

/** The same in the fewest words: a list of objects. */
const applyToModel = (model: readonly KubeObject[], one: Change): readonly KubeObject[] => {
  const named = (object: KubeObject, namespace: string, name: string): boolean =>
    object.meta.namespace === namespace && object.meta.name === name;
  switch (one.type) {
    case 'reset':
      return [...model.filter(({ kind }) => kind !== one.kind), ...one.objects];
    case 'apply': {
      const { namespace, name } = one.object.meta;
      return [
        ...model.filter((other) => other.kind !== one.kind || !named(other, namespace, name)),
        one.object,
      ];
    }
    case 'delete':
      return model.filter(
        (other) =>
          other.kind !== one.kind || !named(other, one.namespace, one.name) || other.meta.uid !== one.uid,
      );
    case 'unreadable':
      return model;
  }
};

const keyOf = ({ kind, meta }: KubeObject): string => `${kind}/${meta.namespace}/${meta.name}`;

test('after every batch the index holds what a plain list would, and tells exactly the difference', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }), (batches) => {
      const index = new ResourceIndex();
      let model: readonly KubeObject[] = [];
      for (const batch of batches) {
        const before = new Map(model.map((object) => [keyOf(object), object]));
        model = batch.reduce(applyToModel, model);
        const after = new Map(model.map((object) => [keyOf(object), object]));
        const touched = index.apply(batch);
        const expected = [...new Set([...before.keys(), ...after.keys()])]
          .filter((key) => before.get(key) !== after.get(key))
          .map((key) => ({ key, before: before.get(key), after: after.get(key) }));
        const said = touched.map((one) => {
          const object = one.after ?? one.before;
          return { key: object === undefined ? '' : keyOf(object), before: one.before, after: one.after };
        });
        const byKey = (x: { readonly key: string }, y: { readonly key: string }) => (x.key < y.key ? -1 : 1);
        assert.deepEqual(said.sort(byKey), expected.sort(byKey));
        const held = [...index.all('Pod'), ...index.all('Server')];
        assert.deepEqual(new Set(held), new Set(model));
        for (const object of model) {
          assert.equal(index.get(object.kind, object.meta.namespace, object.meta.name), object);
        }
        for (const kind of ['Pod', 'Server'] as const) {
          const namespaces = new Set(
            model.filter((one) => one.kind === kind).map(({ meta }) => meta.namespace),
          );
          assert.deepEqual(new Set(index.namespacesOf(kind)), namespaces);
        }
      }
    }),
    { numRuns: 300 },
  );
});
