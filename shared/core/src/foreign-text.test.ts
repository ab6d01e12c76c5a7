import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, quoted } from './foreign-text.ts';

const cases: readonly (readonly [text: string, shown: string])[] = [
  ['demo/web-0', 'demo/web-0'],
  ['Grüße, 世界 🙂', 'Grüße, 世界 🙂'],
  ['a\nb\r\nc\td', 'a\\nb\\r\\nc\\td'],
  ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
  ['\0\u007f\u0085\u009b', '\\u{0}\\u{7f}\\u{85}\\u{9b}'],
  ['a\u202ecba\u2066', 'a\\u{202e}cba\\u{2066}'],
  ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
  ['line\u2028and\u2029paragraph', 'line\\u{2028}and\\u{2029}paragraph'],
  ['half \ud83d of a pair \ude42', 'half \\u{d83d} of a pair \\u{de42}'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
  ['^/api/\\d+$', '^/api/\\d+$'],
];

test('what a reader, a terminal or a log could take for something else is written as an escape', () => {
  for (const [text, shown] of cases) assert.equal(printable(text, 1_000), shown);
  assert.equal(cases.length, 11);
});

test('a text that is too long is cut, and its length is said', () => {
  assert.equal(printable('a'.repeat(80), 80), 'a'.repeat(80));
  assert.equal(printable('a'.repeat(81), 80), `${'a'.repeat(80)}… (81 characters)`);
  assert.equal(printable('🙂'.repeat(41), 81), `${'🙂'.repeat(40)}… (82 characters)`);
  assert.equal(printable('\u202e'.repeat(65_536), 16), '\\u{202e}\\u{202e}… (65536 characters)');
});

test('a quoted text stands between backticks, and cannot end its own quotation', () => {
  assert.equal(quoted('demo'), '`demo`');
  assert.equal(quoted(''), '``');
  assert.equal(quoted('a` is right, `b'), '`a\\` is right, \\`b`');
  assert.equal(quoted('a'.repeat(65_536)), `\`${'a'.repeat(80)}…\` (65536 characters)`);
});

test('whatever the text, what is shown is short, well formed and has no control character', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom('\n', '\u001b', '\u202e', '\ud800', '\udc00', '`', '\\', 'a'),
      maxLength: 200,
    }),
  );
  fc.assert(
    fc.property(anything, fc.integer({ min: 10, max: 100 }), (text, longest) => {
      for (const shown of [printable(text, longest), quoted(text, longest)]) {
        assert.ok(shown.length <= longest + '``… (400 characters)'.length, shown);
        assert.ok(shown.isWellFormed());
        assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }
    }),
  );
});
