/** Characters in UTF-8 escapes that NFKC, or Windows' best fit, make a dot or two of: U+FF0E, FE52, FE30, 2024, 2025. */
const otherDots = '%(?:ef%(?:bc%8e|b9%92|b8%b0)|e2%80%a[45])';

/** The same for slash and backslash: U+FF0F, FF3C, FE68, 2215, 2216, 2044. */
const otherSlashes = '%(?:ef%(?:bc%(?:8f|bc)|b9%a8)|e2%8(?:8%9[56]|1%84))';

/** What each part of the guard finds in a path. Letters in escapes have both cases. */
export const unnormalizedParts = {
  'an empty segment': '//',
  'a dot segment, or dots at the start of a segment with an escape behind them': String.raw`/\.{1,2}(?:/|%|$)`,
  'a backslash, or a path parameter': String.raw`[;\\]`,
  'what must be escaped: control bytes, spaces, bytes beyond ASCII': '[^!-~]',
  'no escape: `%` without two digits, `%u002e`': '(?i:%(?:$|[^0-9a-f]|[0-9a-f](?:$|[^0-9a-f])))',
  'an escaped percent sign, dot or slash': '(?i:%2[5ef])',
  'an escaped backslash or semicolon': '(?i:%(?:5c|3b))',
  'an escaped control byte': '(?i:%(?:[01][0-9a-f]|7f))',
  'bytes that UTF-8 never has, as in overlong forms': '(?i:%(?:c[01]|f[5-9a-f]|e0%[89]|f0%8))',
  'another kind of dot at the start of a segment': `(?i:(?:/|${otherSlashes})${otherDots})`,
  'another kind of slash before a dot': String.raw`(?i:${otherSlashes}\.)`,
  'another kind of percent sign (U+FF05, FE6A) before a digit':
    '(?i:%ef%(?:bc%85|b9%aa)(?:[0-9a-f]|%(?:3[0-9]|[46][1-6]|ef%b[cd])))',
} as const;

/**
 * Paths that an application may read as another path than the proxy did, which does not normalise them (design §6.4). What
 * servers are covered, and what remains, is in docs/policy.md; a table test holds models of them against this.
 * Written for the proxy's engine, anchored to the whole path; policies may name no path that it matches.
 */
export const unnormalizedPath = `^(?s:.*(?:${Object.values(unnormalizedParts).join('|')}).*)$`;

/** With flags in place of `(?i:` and `(?s:`, which V8 gets wrong: `(?i:%(?:$|[^a-f]))` finds `%C`. Nothing outside `(?i:` has letters. */
const asRegExp = new RegExp(unnormalizedPath.replace(/\(\?[is]:/g, '(?:'), 'is');

export const isUnnormalizedPath = (path: string): boolean => asRegExp.test(path);
