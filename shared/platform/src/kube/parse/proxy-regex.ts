import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import { RecentValues } from '@gatehouse/core/recent-values';
import { RE2JS } from 're2js';
import { compiledSize } from './proxy-regex-size.ts';
import { regexTokens } from './proxy-regex-tokens.ts';

/**
 * Regular expressions as the proxy understands them. Its engine is Rust's `regex`; one that it refuses makes the whole
 * port invalid (`contract/proxy.md` §1.5), so RE2, its nearest relative, judges them at the door, and what the two read
 * differently is refused (design §6.4).
 */
export const checkProxyRegex = (pattern: string, field = ''): Parsed<string> => {
  // What is too long is not worth keeping.
  const { refused } = pattern.length > longest ? judge(pattern) : judged.get(pattern, judge);
  return refused === undefined
    ? parsed(pattern)
    : problem(field, `\`${pattern}\` ${refused.found}`, refused.fix);
};

interface Judgement {
  readonly refused?: { readonly found: string; readonly fix: string };
}

/** The same patterns come again with every relist, and are judged once; so many that no cluster's own push each other out. */
const judged = new RecentValues<string, Judgement>(10_000);

const judge = (pattern: string): Judgement => {
  const refuse = (found: string, fix: string): Judgement => ({ refused: { found, fix } });
  if (pattern.length > longest) return refuse('is too long', `use at most ${longest} characters`);
  if (!pattern.isWellFormed()) return refuse('has half a surrogate pair', 'use whole characters');
  const tokens = [...regexTokens(pattern)];
  for (const token of tokens) {
    if (token.kind === 'foreign') return refuse(`has \`${token.text}\``, token.why);
  }
  const { bytes, depth } = compiledSize(tokens);
  if (depth > deepest) return refuse('is nested too deeply', `use at most ${deepest} levels of parentheses`);
  if (bytes > largest) return refuse('repeats too much', 'use smaller counts, or fewer Unicode classes');
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    return refuse(
      error instanceof Error ? `does not compile: ${error.message}` : 'does not compile',
      'use the syntax of RE2',
    );
  }
  return {};
};

/** Far above what a path or header can use. */
const longest = 4_096;
/** The proxy's engine stops at 250 levels, of which classes and repetitions take some. */
const deepest = 100;
/** The proxy's engine stops at 10 MiB of compiled program; what follows overestimates it. */
const largest = 8_000_000;

const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** The characters that are no part of a word, as the inside of a class: RE2 can negate a class only as a whole. */
const nonWordRanges = (): string => {
  let text = '';
  let start: number | undefined;
  for (let code = 0; code <= 0x11_0000; code += 1) {
    const isIn = code < 0x11_0000 && !wordCharacter.test(String.fromCodePoint(code));
    if (isIn && start === undefined) start = code;
    if (isIn || start === undefined) continue;
    text += `\\x{${start.toString(16)}}-\\x{${(code - 1).toString(16)}}`;
    start = undefined;
  }
  return text;
};

let nonWord: string | undefined;
const classBodies: Readonly<Record<string, () => string>> = {
  d: () => '\\p{Nd}',
  D: () => '\\P{Nd}',
  s: () => '\\p{White_Space}',
  S: () => '\\P{White_Space}',
  w: () => '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}',
  W: () => {
    // Half a million characters are looked at once, for the few patterns that ask.
    nonWord ??= nonWordRanges();
    return nonWord;
  },
};

/** The pattern for RE2, with the shorthands' Unicode meaning written out. */
const forRe2 = (pattern: string): string =>
  [...regexTokens(pattern)]
    .map((token) => {
      if (token.kind !== 'shorthand') return token.text;
      const body = classBodies[token.text[1] ?? '']?.() ?? '';
      return token.inClass ? body : `[${body}]`;
    })
    .join('');

/** Patterns in force are few. */
const compiled = new RecentValues<string, RE2JS>(1_000);

const compile = (pattern: string): RE2JS => {
  if (!checkProxyRegex(pattern).ok) {
    throw new GatehouseError('internal', 'unchecked regular expression', { details: { pattern } });
  }
  return RE2JS.compile(forRe2(pattern));
};

/**
 * Whether the proxy finds the pattern in the text from its first to its last character. It looks for the first match as Perl
 * would and then asks whether that spans the whole, so `a|ab` does not match `ab`. Word boundaries are those of ASCII.
 * Throws for a pattern that `checkProxyRegex` refuses.
 */
export const matchesWhole = (pattern: string, text: string): boolean => {
  const match = compiled.get(pattern, compile).matcher(text);
  // The leftmost match begins at 0 exactly if there is one that does.
  return match.lookingAt() && match.end() === text.length;
};
