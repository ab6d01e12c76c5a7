import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printShown, type Shown } from './output.ts';
import type { OutputFormat } from './output-option.ts';

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
