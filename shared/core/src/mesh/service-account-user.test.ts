import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServiceAccountUser, printServiceAccountUser } from './service-account-user.ts';

test('a user that is a ServiceAccount is read and printed; any other is none', () => {
  const cases = [
    ['system:serviceaccount:demo:web', { namespace: 'demo', serviceAccount: 'web' }],
    ['system:serviceaccount:demo:build.bot', { namespace: 'demo', serviceAccount: 'build.bot' }],
    ['system:serviceaccount:demo', undefined],
    ['system:serviceaccount:demo:', undefined],
    ['system:serviceaccount::web', undefined],
    ['system:serviceaccount:demo:web:admin', undefined],
    ['system:serviceaccounts:demo:web', undefined],
    ['xsystem:serviceaccount:demo:web', undefined],
    ['system:node:node-1', undefined],
    ['jane', undefined],
    ['', undefined],
  ] as const;
  assert.equal(cases.length, 11);
  for (const [user, account] of cases) {
    assert.deepEqual(parseServiceAccountUser(user), account, user);
    if (account !== undefined) assert.equal(printServiceAccountUser(account), user);
  }
});
