import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrap } from './wrap.ts';

test('prose is wrapped at words, and a long word is left whole', () => {
  assert.equal(wrap('a short line', 20), 'a short line');
  assert.equal(wrap('  one two three', 9, '    '), '  one two\n    three');
  assert.equal(wrap('a verylongwordthatfitsnowhere b', 8), 'a\nverylongwordthatfitsnowhere\nb');
  assert.equal(wrap('  name  value goes on', 15, '        '), '  name  value\n        goes on');
});
