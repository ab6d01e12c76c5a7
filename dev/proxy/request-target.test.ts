import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTarget } from './request-target.ts';

test('request targets are split and never normalised: ten forms', () => {
  const cases: [string, ReturnType<typeof readTarget>][] = [
    ['/', { authority: undefined, path: '/' }],
    ['/api/../admin?x=1', { authority: undefined, path: '/api/../admin?x=1' }],
    ['//admin', { authority: undefined, path: '//admin' }],
    ['*', { authority: undefined, path: '*' }],
    ['http://backend.demo:8080', { authority: 'backend.demo:8080', path: '/' }],
    ['HTTP://backend.demo:8080/a/../b', { authority: 'backend.demo:8080', path: '/a/../b' }],
    ['http://backend.demo?x=1', { authority: 'backend.demo', path: '/?x=1' }],
    ['http://user@backend.demo/', undefined],
    ['ftp://backend.demo/', undefined],
    ['backend.demo:8080', undefined],
  ];
  assert.equal(cases.length, 10);
  for (const [text, expected] of cases) assert.deepEqual(readTarget(text), expected, text);
});
