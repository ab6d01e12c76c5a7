import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { strategicMerge } from './strategic-merge.ts';

const containers = [
  { name: 'a', image: 'x', env: [{ name: 'K', value: '1' }] },
  { name: 'b', image: 'y' },
];

const cases: readonly (readonly [what: string, target: WireObject, patch: WireObject, merged: WireObject])[] =
  [
    [
      'objects are merged, null takes away',
      { a: { b: 1, c: 2 } },
      { a: { c: null, d: 3 } },
      { a: { b: 1, d: 3 } },
    ],
    [
      'items are merged by their key, and new ones come last',
      { containers },
      { containers: [{ name: 'b', image: 'z' }, { name: 'c' }] },
      { containers: [containers[0], { name: 'b', image: 'z' }, { name: 'c' }] },
    ],
    [
      'items are merged inside of items',
      { containers },
      { containers: [{ name: 'a', env: [{ name: 'L', value: '2' }] }] },
      {
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'K', value: '1' },
              { name: 'L', value: '2' },
            ],
          },
          containers[1],
        ],
      },
    ],
    [
      'an item is deleted, and the others are put in order',
      { containers },
      {
        containers: [{ $patch: 'delete', name: 'a' }, { name: 'c' }],
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }],
      },
      { containers: [{ name: 'c' }, containers[1]] },
    ],
    [
      'a list is replaced where the patch says so, or where its items have no key',
      { containers, args: ['a', 'b'] },
      { containers: [{ $patch: 'replace' }, { name: 'd' }], args: ['c'] },
      { containers: [{ name: 'd' }], args: ['c'] },
    ],
    [
      'ports are told apart by number, of a Service as of a container',
      { ports: [{ port: 80, targetPort: 1 }, { port: 90 }] },
      { ports: [{ port: 80, targetPort: 2 }] },
      { ports: [{ port: 80, targetPort: 2 }, { port: 90 }] },
    ],
    [
      'finalizers are added, and taken away by name',
      { finalizers: ['a', 'b'] },
      { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b', 'c'] },
    ],
    [
      'of an object whose kind changes only some fields stay',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
    ['an object is replaced', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
  ];

test('strategic merge patches have their directives done', () => {
  for (const [what, target, patch, merged] of cases) {
    const before = structuredClone(target);
    assert.deepEqual(strategicMerge(target, patch), merged, what);
    assert.deepEqual(target, before, `${what}: the object itself stays as it was`);
  }
  assert.equal(cases.length, 9);
});
