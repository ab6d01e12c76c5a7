import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnnormalizedPath } from './unnormalized-path.ts';

const cases: readonly (readonly [path: string, unnormalized: boolean])[] = [
  ['/api/../admin', true],
  ['/api/..', true],
  ['/./admin', true],
  ['/.', true],
  ['//admin', true],
  ['/api%2fadmin', true],
  ['/api%2Fadmin', true],
  ['/%2e%2e/admin', true],
  ['/%252e', true],
  ['/api\\admin', true],
  ['/api%5cadmin', true],
  ['/api;v=1', true],
  ['/api%3Bv', true],
  ['/api%00', true],
  ['/api\n//', true],
  ['/', false],
  ['/api', false],
  ['/api/', false],
  ['/.well-known/x', false],
  ['/a..b', false],
  ['/...', false],
  ['/caf%C3%A9', false],
];

test('a path that can be read in two ways is told from one that cannot', () => {
  for (const [path, expected] of cases) assert.equal(isUnnormalizedPath(path), expected, path);
  assert.equal(cases.length, 22);
});
