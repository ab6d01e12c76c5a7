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
