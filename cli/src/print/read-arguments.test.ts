import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNamespaced, readPort } from './read-arguments.ts';

test('a pod is named by namespace and name, and nothing else is taken for one', () => {
  assert.deepEqual(readNamespaced('demo/frontend-0'), { namespace: 'demo', name: 'frontend-0' });
  for (const text of ['', 'demo', '/x', 'demo/', 'a/b/c'])
    assert.throws(() => readNamespaced(text), /NAMESPACE/);
});

test('a port is a number from its lowest to 65535', () => {
  assert.equal(readPort(1)('8080'), 8080);
  assert.equal(readPort(0)('0'), 0);
  for (const text of ['0', '-1', '70000', '80x', '', '1e3']) assert.throws(() => readPort(1)(text), /65535/);
});
