import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest-word.ts';

const known = ['target', 'ports', 'sources', 'rules', 'mode', 'podSelector', 'namespaceSelector', 'name'];

const cases: readonly (readonly [written: string, meant: string | undefined])[] = [
  ['rule', 'rules'],
  ['Rules', 'rules'],
  ['podselector', 'podSelector'],
  ['podSelecter', 'podSelector'],
  ['nameSpaceSelector', 'namespaceSelector'],
  ['target', 'target'],
  ['modes', 'mode'],
  ['egress', undefined],
  ['x', undefined],
  ['', undefined],
];

test('the nearest known word is suggested, and none when nothing is near', () => {
  for (const [written, meant] of cases) assert.equal(nearestWord(written, known), meant, written);
  assert.equal(cases.length, 10);
});
