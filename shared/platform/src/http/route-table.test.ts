import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from './route-table.ts';

test('a path has the methods of every pattern that fits it, whole', () => {
  const table = new RouteTable();
  const access = 'mesh';
  table.add({ methods: ['GET', 'HEAD'], pattern: '/v1/things/:namespace', access });
  table.add({ methods: 'DELETE', pattern: '/v1/things/:namespace', access });
  table.add({ methods: 'POST', pattern: '/v1/things/all', access });
  const expected = {
    '/v1/things/demo': ['DELETE', 'GET', 'HEAD'],
    '/v1/things/all': ['DELETE', 'GET', 'HEAD', 'POST'],
    '/v1/things/': [],
    '/v1/things': [],
    '/v1/things/demo/x': [],
    '/v1/thing/demo': [],
    '': [],
  };
  for (const [path, methods] of Object.entries(expected))
    assert.deepEqual(table.methodsOf(path), methods, path);
});
