import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'HTTPLocalRateLimitPolicy';
const targetRef = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const rate = (requestsPerSecond: unknown): object => ({ requestsPerSecond });

test('it limits a Server in all, for each identity, and for some ServiceAccounts', () => {
  const clientRefs = [
    { kind: 'ServiceAccount', name: 'a' },
    { group: 'core', kind: 'serviceaccount', name: 'b', namespace: 'c' },
  ];
  const overrides = [{ requestsPerSecond: 100, clientRefs }];
  const spec = { targetRef, total: rate(100), identity: rate(10), overrides };
  assert.deepEqual(goodSpec(kind, { spec }), {
    server: 'web',
    total: 100,
    identity: 10,
    overrides: [
      {
        requestsPerSecond: 100,
        serviceAccounts: [
          { namespace: 'demo', name: 'a' },
          { namespace: 'c', name: 'b' },
        ],
      },
    ],
  });
});

test('what is left out is no limit', () => {
  assert.deepEqual(goodSpec(kind, { spec: { targetRef } }), {
    server: 'web',
    total: undefined,
    identity: undefined,
    overrides: [],
  });
});

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [{}, ['spec.targetRef: missing: name a Server: { group, kind, name }']],
  [
    { targetRef: { kind: 'Server', name: 'a' } },
    ['spec.targetRef: `server` of the core group cannot be limited: a Server with group policy.linkerd.io'],
  ],
  [
    { targetRef, total: rate(0) },
    [
      'spec.total.requestsPerSecond: the number 0 is not a number from 1 to 9007199254740991: a whole number, without quotes',
    ],
  ],
  [{ targetRef, total: {} }, ['spec.total.requestsPerSecond: missing: how many requests a second']],
  [
    { targetRef, total: rate(5), identity: rate(6) },
    ['spec.identity.requestsPerSecond: 6 is above the total of 5: lower it, or raise the total'],
  ],
  [
    { targetRef, total: rate(5), overrides: [{ requestsPerSecond: 6, clientRefs: [] }] },
    ['spec.overrides[0].requestsPerSecond: 6 is above the total of 5: lower it, or raise the total'],
  ],
  [
    { targetRef: { ...targetRef, name: 'A b' } },
    ["spec.targetRef.name: `A b` is not a valid Server's name: lower-case letters, digits, `-`, `.`"],
  ],
  [
    { targetRef, overrides: [{ requestsPerSecond: 6, clientRefs: [{ kind: 'Pod', name: 'a' }] }] },
    [
      'spec.overrides[0].clientRefs[0]: `pod` of the core group is not a valid client: ServiceAccount of the core group',
    ],
  ],
];

test('every mistake is refused with its path, and closes no port', () => {
  for (const [spec, problems] of mistakes) {
    const rejected = rejection(kind, { spec });
    assert.deepEqual([rejected.problems, rejected.closes.ports], [problems, []], JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 8);
});

const ref = { kind: 'ServiceAccount', name: 'a' };
const account = { namespace: 'demo', name: 'a' };
const whole = {
  targetRef,
  total: rate(9),
  identity: rate(8),
  overrides: [{ ...rate(7), clientRefs: [ref] }],
};
const override = { requestsPerSecond: 7, serviceAccounts: [account] };

/** Specs with a mistake, and the total, the limit of each identity, the overrides and the Servers that are left. */
const left: readonly (readonly [
  title: string,
  spec: object,
  total: number | undefined,
  identity: number | undefined,
  overrides: readonly object[],
  servers?: readonly string[] | 'all',
])[] = [
  ['an unknown field where nothing is missing', { ...whole, x: 1 }, 9, 8, [override]],
  ['an unknown field beside a missing total', { targetRef, identity: rate(8), x: 1 }, 1, 8, []],
  ['a total of nothing', { ...whole, total: rate(0) }, 1, 8, [override]],
  ['a total that is null', { ...whole, total: null }, 1, 8, [override]],
  ['a misspelt number of the total', { ...whole, total: { requestPerSecond: 9 } }, 1, 8, [override]],
  ['a field too many in the total', { ...whole, total: { ...rate(9), x: 1 } }, 9, 8, [override]],
  ['an unreadable limit of each identity', { ...whole, identity: rate('8') }, 9, 1, [override]],
  ['a total below the others', { ...whole, total: rate(5) }, 5, 8, [override]],
  [
    'an override without number',
    { ...whole, overrides: [{ clientRefs: [ref] }] },
    9,
    8,
    [{ ...override, requestsPerSecond: 1 }],
  ],
  [
    'an override without clients, who may be any',
    { ...whole, overrides: [rate(7)] },
    7,
    8,
    [{ ...override, serviceAccounts: [] }],
  ],
  [
    'an override with a client that cannot be read',
    { ...whole, overrides: [{ ...rate(7), clientRefs: [ref, { ...ref, kind: 'Pod' }] }] },
    7,
    8,
    [override],
  ],
  ['an override that is a text', { ...whole, overrides: ['a'] }, 1, 8, []],
  ['overrides that are not a list', { ...whole, overrides: {} }, 1, 8, []],
  ['a target of another kind', { ...whole, targetRef: { ...targetRef, kind: 'Sever' } }, 9, 8, [override]],
  ['a target without name', { ...whole, targetRef: { kind: 'Server' } }, 9, 8, [override], 'all'],
  ['no target', { total: rate(9) }, 9, undefined, [], 'all'],
  ['nothing', {}, 1, undefined, [], 'all'],
  ['a misspelt target', { target: targetRef, total: rate(9) }, 1, undefined, [], 'all'],
];

test('a rejected one goes on limiting; what cannot be read of it counts as one request a second', () => {
  for (const [title, spec, total, identity, overrides, servers = ['web']] of left) {
    const applies = servers === 'all' ? 'perhaps' : 'surely';
    assert.deepEqual(
      rejection(kind, { spec }).limits,
      { servers, applies, rates: { total, identity, overrides } },
      title,
    );
  }
  assert.equal(left.length, 18);
});

test('one without spec, age or valid name limits perhaps, and as far as can be said', () => {
  const lowest = { total: 1, identity: undefined, overrides: [] };
  assert.deepEqual(rejection(kind, {}).limits, { servers: 'all', applies: 'perhaps', rates: lowest });
  const rates = { total: 9, identity: 8, overrides: [override] };
  for (const said of [{ metadata: { creationTimestamp: 'yesterday' } }, { name: 'A b' }]) {
    const { limits } = rejection(kind, { ...said, spec: whole });
    assert.deepEqual(limits, { servers: ['web'], applies: 'perhaps', rates });
  }
});
