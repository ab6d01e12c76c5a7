import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { readWhole } from './fields.ts';
import { readSelector } from './label-selector.ts';

const read = (value: unknown) => readWhole(value, 'selector', { nulls: 'refused', read: readSelector });

test('labels and expressions of every operator are read', () => {
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['web', 'api'] },
    { key: 'example.com/track', operator: 'NotIn', values: ['canary'] },
    { key: 'app', operator: 'Exists' },
    { key: 'legacy', operator: 'DoesNotExist', values: [] },
  ];
  assert.deepEqual(read({ matchLabels: { app: 'web', empty: '' }, matchExpressions }), {
    ok: true,
    value: {
      matchLabels: { app: 'web', empty: '' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['web', 'api'] },
        { key: 'example.com/track', operator: 'NotIn', values: ['canary'] },
        { key: 'app', operator: 'Exists' },
        { key: 'legacy', operator: 'DoesNotExist' },
      ],
    },
  });
});

test('the empty selector is everything', () => {
  assert.deepEqual(read({}), { ok: true, value: { matchLabels: {}, matchExpressions: [] } });
});

const label = 'a label value: at most 63 letters, digits, `-`, `_` and `.`';
const name = 'a label name such as app or example.com/app';

const bad: readonly (readonly [selector: unknown, problem: string])[] = [
  ['app=web', 'selector: `app=web` is not an object: write an object'],
  [[], 'selector: an empty list is not an object: write an object'],
  [null, 'selector: missing: write an object'],
  [{ matchLabel: { app: 'web' } }, 'selector.matchLabel: unknown field: did you mean `matchLabels`?'],
  [{ app: 'web' }, 'selector.app: unknown field: remove it; known here: matchLabels, matchExpressions'],
  [{ matchLabels: ['app'] }, 'selector.matchLabels: a list is not an object: write an object'],
  [{ matchLabels: null }, 'selector.matchLabels: nothing is written: write an object'],
  [{ matchLabels: { app: null } }, `selector.matchLabels.app: nothing is written: ${label}`],
  [
    { matchLabels: { app: true } },
    'selector.matchLabels.app: the boolean true is not text: put it in quotes',
  ],
  [{ matchLabels: { app: 1 } }, 'selector.matchLabels.app: the number 1 is not text: put it in quotes'],
  [{ matchLabels: { app: 'a b' } }, `selector.matchLabels.app: \`a b\` is not a valid label value: ${label}`],
  [{ matchLabels: { 'a b': 'c' } }, `selector.matchLabels.a b: no label has such a name: ${name}`],
  [{ matchLabels: { '/a': 'c' } }, `selector.matchLabels./a: no label has such a name: ${name}`],
  [{ matchExpressions: {} }, 'selector.matchExpressions: an empty object is not a list: write a list'],
  [{ matchExpressions: ['app'] }, 'selector.matchExpressions[0]: `app` is not an object: write an object'],
  [
    { matchExpressions: [{ key: 'app', operator: 'in', values: ['a'] }] },
    'selector.matchExpressions[0].operator: `in` is not known here: did you mean `In`?',
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'Equals', values: ['a'] }] },
    'selector.matchExpressions[0].operator: `Equals` is not known here: use In, NotIn, Exists, DoesNotExist',
  ],
  [
    { matchExpressions: [{ key: 'app' }] },
    'selector.matchExpressions[0].operator: missing: use In, NotIn, Exists, DoesNotExist',
  ],
  [{ matchExpressions: [{ operator: 'Exists' }] }, `selector.matchExpressions[0].key: missing: ${name}`],
  [
    { matchExpressions: [{ key: '-', operator: 'Exists' }] },
    `selector.matchExpressions[0].key: \`-\` is not a valid label name: ${name}`,
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'In' }] },
    'selector.matchExpressions[0].values: missing: In needs at least one value',
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: [] }] },
    'selector.matchExpressions[0].values: missing: NotIn needs at least one value',
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['a'] }] },
    'selector.matchExpressions[0].values: Exists takes no values: remove them, or use In or NotIn',
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 1] }] },
    `selector.matchExpressions[0].values[1]: the number 1 is not text: ${label}`,
  ],
  [
    { matchExpressions: [{ key: 'app', operator: 'In', value: ['a'], values: ['a'] }] },
    'selector.matchExpressions[0].value: unknown field: remove it; known here: key, operator, values',
  ],
];

test('a selector that Kubernetes would not store is refused with the field and the fix', () => {
  for (const [selector, expected] of bad) {
    const result = read(selector);
    assert.deepEqual(
      result.ok ? 'read' : result.problems.map(printProblem),
      [expected],
      JSON.stringify(selector),
    );
  }
  assert.equal(bad.length, 25);
});

test('all problems of a selector are told at once', () => {
  const result = read({ matchLabels: { app: 1 }, matchExpressions: [{ key: 'a' }], extra: 1 });
  assert.equal(result.ok ? 0 : result.problems.length, 3);
});
