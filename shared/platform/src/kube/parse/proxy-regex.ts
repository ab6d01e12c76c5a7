import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import { RE2JS } from 're2js';
import { type RegexToken, regexTokens } from './proxy-regex-tokens.ts';

/**
 * Regular expressions as the proxy understands them. Its engine is Rust's `regex`; one that it refuses makes the whole
 * port invalid (`contract/proxy.md` §1.5), so RE2, its nearest relative, judges them at the door, and what the two read
 * differently is refused (design §6.4).
 */
export const checkProxyRegex = (pattern: string, field = ''): Parsed<string> => {
  const refuse = (found: string, fix: string): Parsed<string> =>
    problem(field, `\`${pattern}\` ${found}`, fix);
  if (pattern.length > longest) return refuse('is too long', `use at most ${longest} characters`);
  if (!pattern.isWellFormed()) return refuse('has half a surrogate pair', 'use whole characters');
  const tokens = [...regexTokens(pattern)];
  for (const token of tokens) {
    if (token.kind === 'foreign') return refuse(`has \`${token.text}\``, token.why);
  }
  const { bytes, depth } = measure(tokens);
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
  return parsed(pattern);
};

/** Far above what a path or header can use. */
const longest = 4_096;
/** The proxy's engine stops at 250 levels, of which classes and repetitions take some. */
const deepest = 100;
/** The proxy's engine stops at 10 MiB of compiled program; what follows overestimates it. */
const largest = 8_000_000;

/**
 * What each piece costs in the proxy's engine, in bytes, measured with regex 1.12: a letter 32 to 81, `.` 1,013, `\s` 688 to
 * 1,953, `\d` 5,178, `\D` 12,819, `\w` and Unicode properties up to 51,150. A class is at most about as big as the largest property.
 */
const costOf = (token: RegexToken, foldsCase: boolean): number => {
  switch (token.kind) {
    case 'shorthand':
      return { d: 6_000, D: 13_000, s: 2_000, S: 2_000 }[token.text[1] ?? ''] ?? largestClass;
    case 'property':
      return largestClass;
    case 'any':
      return 1_100;
    case 'class-open':
      return token.text === '[^' ? 2_000 : 100;
    case 'literal':
      // A range that begins or ends beyond ASCII may fold to many others.
      return /^(?:[\0-\x7f]|\\[^x])$/.test(token.text) ? 110 : foldsCase ? 10_000 : 600;
    default:
      return 110;
  }
};
const largestClass = 52_000;

/** An upper bound of the compiled size, and the depth of parentheses. */
const measure = (tokens: readonly RegexToken[]): { readonly bytes: number; readonly depth: number } => {
  const foldsCase = tokens.some(({ text }) => /^\(\?[a-zA-Z]*i/.test(text));
  let [bytes, last, deepestYet] = [0, 0, 0];
  let classBytes: number | undefined;
  const outer: number[] = [];
  for (const token of tokens) {
    const cost = costOf(token, foldsCase);
    if (token.kind === 'repeat' && classBytes === undefined) {
      bytes += last * (token.copies - 1) + cost * token.copies;
      last = last * token.copies + cost * token.copies;
    } else if (token.kind === 'class-open') {
      classBytes = cost;
    } else if (token.kind === 'class-close') {
      last = Math.min(classBytes ?? 0, largestClass) + cost;
      bytes += last;
      classBytes = undefined;
    } else if (classBytes !== undefined) {
      classBytes += cost;
    } else if (token.kind === 'group-open') {
      deepestYet = Math.max(deepestYet, outer.push(bytes));
    } else if (token.kind === 'group-close') {
      last = bytes - (outer.pop() ?? 0) + cost;
      bytes += cost;
    } else {
      last = cost;
      bytes += cost;
    }
  }
  return { bytes, depth: deepestYet };
};

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

const compiled = new Map<string, RE2JS>();
/** Patterns in force are few; what was not used for longest goes first. */
const mostCompiled = 1_000;

const compile = (pattern: string): RE2JS => {
  let engine = compiled.get(pattern);
  if (engine === undefined) {
    const checked = checkProxyRegex(pattern);
    if (!checked.ok) {
      throw new GatehouseError('internal', 'unchecked regular expression', { details: { pattern } });
    }
    engine = RE2JS.compile(forRe2(pattern));
  } else {
    compiled.delete(pattern);
  }
  compiled.set(pattern, engine);
  const [oldest] = compiled.keys();
  if (compiled.size > mostCompiled && oldest !== undefined) compiled.delete(oldest);
  return engine;
};

/**
 * Whether the proxy finds the pattern in the text from its first to its last character. It looks for the first match as Perl
 * would and then asks whether that spans the whole, so `a|ab` does not match `ab`. Word boundaries are those of ASCII.
 * Throws for a pattern that `checkProxyRegex` refuses.
 */
export const matchesWhole = (pattern: string, text: string): boolean => {
  const match = compile(pattern).matcher(text);
  return match.find() && match.start() === 0 && match.end() === text.length;
};
