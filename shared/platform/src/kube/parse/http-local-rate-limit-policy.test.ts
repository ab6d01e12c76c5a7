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
    { targetRef, overrides: [{ requestsPerSecond: 6, clientRefs: [{ kind: 'Pod', name: 'a' }] }] },
    [
      'spec.overrides[0].clientRefs[0]: `pod` of the core group is not a valid client: ServiceAccount of the core group',
    ],
  ],
];

test('every mistake is refused with its path, and closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const rejected = rejection(kind, { spec });
    assert.deepEqual([rejected.problems, rejected.closes.ports], [problems, []], JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 7);
});
