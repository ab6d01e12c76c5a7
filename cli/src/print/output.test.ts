import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OutputFormat, printShown, readNamespaced, readPort, type Shown } from './output.ts';

const shown: Shown = {
  value: { pods: ['a'] },
  heads: ['pod'],
  rows: [['a']],
  wideHeads: ['uid'],
  wideRows: [['1']],
};

test('one thing is shown in four forms', () => {
  const expected: Record<OutputFormat, string> = {
    table: 'POD\na',
    wide: 'POD  UID\na    1',
    json: '{"pods":["a"]}',
    yaml: 'pods:\n  - a',
  };
  for (const [format, text] of Object.entries(expected)) {
    assert.equal(printShown(format as OutputFormat, shown), text);
  }
});

test('texts that kubectl would take for something else are in quotes', () => {
  const value = ['on', 'n', '0644', '8_080', 'web'];
  assert.equal(printShown('yaml', { ...shown, value }), '- "on"\n- "n"\n- "0644"\n- "8_080"\n- web');
});

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
