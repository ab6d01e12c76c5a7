import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printTable } from './table.ts';

test('columns are as wide as their widest cell, and an empty cell shows a dash', () => {
  assert.equal(
    printTable(
      ['pod', 'address'],
      [
        ['frontend-0', '127.64.0.1'],
        ['b', ''],
      ],
    ),
    ['POD         ADDRESS', 'frontend-0  127.64.0.1', 'b           -'].join('\n'),
  );
});

test('colours take no room', () => {
  const red = (text: string) => `\x1b[31m${text}\x1b[39m`;
  assert.equal(
    printTable(
      ['a', 'b'],
      [
        [red('bad'), '1'],
        ['good', '2'],
      ],
    ),
    `A     B\n${red('bad')}   1\ngood  2`,
  );
});

test('on a terminal the widest cells are cut until a line fits, but never to nothing', () => {
  const row = ['default.demo.serviceaccount.identity', 'demo/frontend-0', '3h ago'];
  const text = printTable(['identity', 'pod', 'issued'], [row], 40);
  assert.equal(text.split('\n')[1], 'default…dentity  demo/frontend-0  3h ago');
  for (const line of text.split('\n')) assert.ok(line.length <= 40, line);
  assert.equal(printTable(['identity'], [['default.demo.x']], 3).split('\n')[1], 'defa…o.x');
});
