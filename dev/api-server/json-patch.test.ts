import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';
import fc from 'fast-check';
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { jsonPatch, PatchMisfit } from './json-patch.ts';

const { applyPatch } = fastJsonPatch;

const document = { a: { b: [1, 2, 3], 'c/d': 'x', '~': null }, e: [] };

test('each operation does what RFC 6902 has it do, and the document stays as it was', () => {
  const cases: readonly (readonly [readonly unknown[], unknown])[] = [
    [[{ op: 'add', path: '/f', value: 1 }], { ...document, f: 1 }],
    [[{ op: 'add', path: '/a/b/1', value: 9 }], { ...document, a: { ...document.a, b: [1, 9, 2, 3] } }],
    [[{ op: 'add', path: '/a/b/-', value: 9 }], { ...document, a: { ...document.a, b: [1, 2, 3, 9] } }],
    [[{ op: 'replace', path: '/a/c~1d', value: 'y' }], { ...document, a: { ...document.a, 'c/d': 'y' } }],
    [[{ op: 'replace', path: '/a/~0', value: 0 }], { ...document, a: { ...document.a, '~': 0 } }],
    [[{ op: 'remove', path: '/a' }], { e: [] }],
    [[{ op: 'move', from: '/a/b', path: '/e/0' }], { a: { 'c/d': 'x', '~': null }, e: [[1, 2, 3]] }],
    [[{ op: 'copy', from: '/a/b/0', path: '/e/-' }], { ...document, e: [1] }],
    [[{ op: 'test', path: '/e', value: [] }], document],
    [[{ op: 'replace', path: '', value: { g: 1 } }], { g: 1 }],
  ];
  assert.equal(cases.length, 10);
  const before = structuredClone(document);
  for (const [operations, expected] of cases) assert.deepEqual(jsonPatch(document, operations), expected);
  assert.deepEqual(document, before);
});

test('what does not fit is rejected whole', () => {
  const wrong: readonly unknown[] = [
    'text',
    { op: 'explode', path: '/a' },
    { op: 'add', path: 'a', value: 1 },
    { op: 'add', path: '/a/b/4', value: 1 },
    { op: 'add', path: '/a/b/01', value: 1 },
    { op: 'add', path: '/nothing/x', value: 1 },
    { op: 'remove', path: '/nothing' },
    { op: 'remove', path: '/a/b/3' },
    { op: 'replace', path: '/nothing', value: 1 },
    { op: 'move', from: '/nothing', path: '/x' },
    { op: 'test', path: '/e', value: [1] },
    { op: 'replace', path: '', value: [] },
  ];
  assert.equal(wrong.length, 12);
  for (const operation of wrong)
    assert.throws(
      () => jsonPatch(document, [{ op: 'remove', path: '/e' }, operation]),
      PatchMisfit,
      JSON.stringify(operation),
    );
});

const pointer = fc
  .array(fc.constantFrom('a', 'b', 'c/d', '~', '0', '1', '3', '-', 'x'), { maxLength: 3 })
  .map((parts) => parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
/** Not the whole document, where fast-json-patch accepts what is not an object. */
const part = pointer.filter((text) => text !== '');
const value = fc.constantFrom<unknown>(1, 'x', null, [], { a: 1 }, [1, 2]);
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: part, value }),
  fc.record({ op: fc.constant('remove'), path: part }),
  fc.record({ op: fc.constantFrom('move', 'copy'), from: part, path: part }),
);

const patched = (patch: () => unknown): unknown => {
  try {
    const result = patch();
    return isWireObject(result) ? result : 'rejected';
  } catch {
    return 'rejected';
  }
};

test('fast-json-patch gives the same', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 3 }), (operations) => {
      // Both put the values of a patch into the document as they are, and change them with it.
      const forThem = structuredClone(operations) as Operation[];
      const theirs = patched(() => applyPatch(structuredClone(document), forThem, true).newDocument);
      const ours = patched(() => jsonPatch(document, structuredClone(operations)));
      assert.deepEqual(ours, theirs, JSON.stringify(operations));
    }),
    { numRuns: 1_000 },
  );
});
