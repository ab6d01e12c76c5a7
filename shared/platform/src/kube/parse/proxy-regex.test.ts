import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { checkProxyRegex, matchesWhole } from './proxy-regex.ts';

/** What the proxy's engine does with each row was seen with Rust's regex 1.12. */
describe('a regular expression is refused where the proxy refuses it or reads it differently than RE2', () => {
  const refused: readonly (readonly [pattern: string, says: RegExp])[] = [
    ['\\Qa.b\\E', /quoting/],
    ['\\C', /single bytes/],
    ['\\<api', /word boundar/],
    ['api\\>', /word boundar/],
    ['[\\<]', /word boundar/],
    ['\\101', /octal/],
    ['\\0', /octal/],
    ['(a)\\1', /octal/],
    ['a{,3}', /repetition/],
    ['a{', /repetition/],
    ['{', /repetition/],
    ['a{ 1 }', /repetition/],
    ['a{b}', /repetition/],
    ['\\b{start}', /repetition/],
    ['[a[b]', /class of its own/],
    ['[[a]]', /class of its own/],
    ['[a&&b]', /operations on sets/],
    ['[+--]', /operations on sets/],
    ['[a~~b]', /operations on sets/],
    ['[\\d-z]', /both ends/],
    ['[\\w-z]', /both ends/],
    ['[\\pL-z]', /both ends/],
    ['\\p{^Greek}', /property/],
    ['\\p{Cs}', /property/],
    ['\\p{Sidetic}', /property/],
    ['\\x{d800}', /surrogate/],
    ['\ud800', /surrogate/],
    ['(?)', /says nothing/],
    ['(?ii)a', /twice/],
    ['(?i-i)a', /twice/],
    ['a(?i)*b', /nothing to repeat/],
    ['(?P<1a>x)', /begins with a letter/],
    ['\\w{300}', /repeats too much/],
    ['(?:\\pL{20}){20}', /repeats too much/],
    ['\\w'.repeat(300), /repeats too much/],
    [`${'('.repeat(260)}a${')'.repeat(260)}`, /nested too deeply/],
    ['a'.repeat(4_097), /too long/],
    ['(', /does not compile/],
    ['a)', /does not compile/],
    ['*a', /does not compile/],
    ['[z-a]', /does not compile/],
    ['[]', /does not compile/],
    ['(?=a)', /does not compile/],
    ['(?<=a)b', /does not compile/],
    ['\\p{Nonsense}', /does not compile/],
    ['a{2,1}', /does not compile/],
    ['(?P<n>a)(?P<n>b)', /does not compile/],
  ];
  it('covers the table', () => assert.equal(refused.length, 47));
  for (const [pattern, says] of refused) {
    it(`${pattern.slice(0, 30)} is refused`, () => {
      const checked = checkProxyRegex(pattern, 'spec.rules[0].matches[0].path.value');
      assert(!checked.ok);
      assert.equal(checked.problems[0]?.field, 'spec.rules[0].matches[0].path.value');
      assert.match(`${checked.problems[0]?.found} ${checked.problems[0]?.fix}`, says);
    });
  }
});

describe('a regular expression spans the whole text, as the proxy matches', () => {
  const rows: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['/api', '/api', true],
    ['/api', '/api/x', false],
    ['/api', 'x/api', false],
    ['/api/.*', '/api/', true],
    ['', '', true],
    ['', 'a', false],
    // The first match as Perl finds it is `a`, which does not span `ab`.
    ['a|ab', 'ab', false],
    ['ab|a', 'ab', true],
    ['a.*?', 'ab', false],
    ['^(?:a|ab)$', 'ab', true],
    ['(?U)a.*', 'ab', false],
    ['.', '\n', false],
    ['.', '\r', true],
    ['(?s).', '\n', true],
    ['a$', 'a\n', false],
    ['(?m)a$\nb', 'a\nb', true],
    ['(?i)straße', 'STRASSE', false],
    ['(?i)k', '\u212a', true],
    ['(?i)s', 'ſ', true],
    // Shorthands are of Unicode.
    ['\\d+', '٣٤', true],
    ['\\D', '٣', false],
    ['\\w+', 'é_9', true],
    ['\\w', '\u200d', true],
    ['\\w', 'Ⓐ', true],
    ['\\w', '-', false],
    ['\\W', 'é', false],
    ['\\W', '-', true],
    ['[\\W_]', '_', true],
    ['[\\W_]', 'é', false],
    ['[^\\W_]', 'é', true],
    ['\\s', '\u00a0', true],
    ['\\S', '\u2003', false],
    ['[^\\s/]+', 'a\u2003b', false],
    ['[[:alpha:]]', 'é', false],
    ['\\p{Greek}', 'α', true],
    ['[a-]', '-', true],
    ['[]a]', ']', true],
    ['\\x{e9}', 'é', true],
    ['a{0,2}', 'aa', true],
    ['}', '}', true],
    ['\\bapi\\b', 'api', true],
  ];
  it('covers the table', () => assert.equal(rows.length, 41));
  for (const [pattern, text, matches] of rows) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
      assert.deepEqual(checkProxyRegex(pattern), { ok: true, value: pattern });
      assert.equal(matchesWhole(pattern, text), matches);
      // The second time the compiled form is used.
      assert.equal(matchesWhole(pattern, text), matches);
    });
  }

  it('a pattern that was not checked at the door is a broken promise', () => {
    assert.throws(() => matchesWhole('(', 'a'), GatehouseError);
  });
});
