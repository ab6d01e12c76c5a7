import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ReviewedCaller, type ReviewedUser, readReviewedCaller } from './reviewed-caller.ts';

const podName = 'authentication.kubernetes.io/pod-name';
const podUid = 'authentication.kubernetes.io/pod-uid';
const bound = { [podName]: ['web-0'], [podUid]: ['p1'] };

const aUser = (change: Partial<ReviewedUser>): ReviewedUser => ({
  name: 'system:serviceaccount:demo:web',
  extra: bound,
  ...change,
});

const web = { namespace: 'demo', serviceAccount: 'web', pod: { name: 'web-0', uid: 'p1' } };

describe('the caller that the API server names', () => {
  const table: readonly (readonly [string, Partial<ReviewedUser>, ReviewedCaller | 'nobody'])[] = [
    ['a ServiceAccount with its pod', {}, web],
    [
      'one with dots in its name',
      { name: 'system:serviceaccount:demo:a.b.c' },
      { ...web, serviceAccount: 'a.b.c' },
    ],
    ['one without pod', { extra: {} }, { ...web, pod: undefined }],
    ['one with half a pod', { extra: { [podName]: ['web-0'] } }, { ...web, pod: undefined }],
    ['one with the other half', { extra: { [podUid]: ['p1'] } }, { ...web, pod: undefined }],
    ['one with two pods', { extra: { ...bound, [podUid]: ['p1', 'p2'] } }, { ...web, pod: undefined }],
    ['one whose pod has no uid', { extra: { ...bound, [podUid]: [''] } }, { ...web, pod: undefined }],
    ['one whose pod is an empty list', { extra: { ...bound, [podUid]: [] } }, { ...web, pod: undefined }],
    ['a person', { name: 'alice' }, 'nobody'],
    ['an administrator', { name: 'system:admin' }, 'nobody'],
    ['a node', { name: 'system:node:a' }, 'nobody'],
    ['one with too many parts', { name: 'system:serviceaccount:a:b:c' }, 'nobody'],
    ['one without name', { name: 'system:serviceaccount:demo:' }, 'nobody'],
    ['one without namespace', { name: 'system:serviceaccount::web' }, 'nobody'],
    ['one in another case', { name: 'System:ServiceAccount:demo:web' }, 'nobody'],
    ['one on a second line', { name: 'alice\nsystem:serviceaccount:demo:web' }, 'nobody'],
  ];

  it('is one of 16 here', () => assert.equal(table.length, 16));
  for (const [title, change, expected] of table) {
    it(`may be ${title}`, () => {
      const read = readReviewedCaller(aUser(change));
      assert.deepEqual(read.ok ? read.value : 'nobody', expected);
    });
  }
});
