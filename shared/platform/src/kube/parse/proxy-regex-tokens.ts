/**
 * The pieces of a regular expression, as far as the proxy's engine (Rust's `regex`) and RE2 agree on how to cut it;
 * where they do not agree, the piece is `foreign`, with what to say about it. RE2 still judges the whole.
 */
export type RegexToken =
  | { readonly kind: 'literal' | 'any' | 'assertion' | 'alternation' | 'flags'; readonly text: string }
  /** `\d \w \s` and their negations: of Unicode there, of ASCII in RE2. */
  | { readonly kind: 'shorthand'; readonly text: string; readonly inClass: boolean }
  | { readonly kind: 'property'; readonly text: string }
  | { readonly kind: 'class-open' | 'class-close' | 'posix'; readonly text: string }
  | { readonly kind: 'group-open' | 'group-close'; readonly text: string }
  /** How often the piece before it may come, at most; quantifiers without a bound count as one copy. */
  | { readonly kind: 'repeat'; readonly text: string; readonly copies: number }
  | { readonly kind: 'foreign'; readonly text: string; readonly why: string };

const foreign = (text: string, why: string): RegexToken => ({ kind: 'foreign', text, why });

/** What RE2's tables have and those of the proxy's engine (Unicode 16) have not. */
const unknownProperties = ['Cs', 'Unknown', 'Beria_Erfe', 'Sidetic', 'Tai_Yo', 'Tolong_Siki'];

const escapeToken = (rest: string, inClass: boolean): RegexToken => {
  const text = /^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|..)|.)/su.exec(rest)?.[0] ?? '\\';
  const letter = text[1] ?? '';
  if (/[dDsSwW]/.test(letter)) return { kind: 'shorthand', text, inClass };
  if (/[pP]/.test(letter)) {
    const name = text.replace(/^\\[pP]\{?|\}$/g, '');
    return name.startsWith('^') || unknownProperties.includes(name)
      ? foreign(text, 'the proxy does not know this property')
      : { kind: 'property', text };
  }
  if (/[QE]/.test(letter)) return foreign(text, 'the proxy has no quoting by \\Q and \\E');
  if (letter === 'C') return foreign(text, 'the proxy cannot match single bytes');
  if (/[<>]/.test(letter)) return foreign(text, 'to the proxy \\< and \\> are word boundaries');
  if (/[0-9]/.test(letter)) return foreign(text, 'the proxy has no octal escapes; write \\x41');
  if (letter === 'x' && /^\\x\{0*d[89a-f]..\}$/i.test(text))
    return foreign(text, 'a surrogate is not a character');
  return { kind: /[bBAz]/.test(letter) ? 'assertion' : 'literal', text };
};

const groupOpen = (rest: string): RegexToken => {
  const text = /^\((?:\?(?:P?<[^>]*>|[^:)]*[:)]?))?/.exec(rest)?.[0] ?? '(';
  const name = /^\(\?P?<(.*)>$/.exec(text)?.[1];
  if (name !== undefined && /^[0-9]/.test(name))
    return foreign(text, 'a group name begins with a letter or _');
  const flags = /^\(\?([a-zA-Z-]*)[:)]?$/.exec(text)?.[1];
  const letters = flags?.replace('-', '') ?? '';
  if (text === '(?)') return foreign(text, 'the proxy refuses a group that says nothing');
  if (new Set(letters).size < letters.length)
    return foreign(text, 'the proxy refuses a flag that is given twice');
  // `(?i)` opens nothing: it sets flags for what follows.
  return { kind: text.endsWith(')') ? 'flags' : 'group-open', text };
};

/** Everything between the brackets of a class, and the brackets. */
function* classTokens(pattern: string, from: number): Generator<RegexToken, number> {
  const opening = pattern.startsWith('[^', from) ? '[^' : '[';
  yield { kind: 'class-open', text: opening };
  let at = from + opening.length;
  const first = at;
  let afterSet = false;
  while (at < pattern.length && (pattern[at] !== ']' || at === first)) {
    const rest = pattern.slice(at);
    let token: RegexToken;
    const posix = /^\[:\^?[a-z]*:\]/.exec(rest)?.[0];
    if (posix !== undefined) token = { kind: 'posix', text: posix };
    else if (rest.startsWith('['))
      token = foreign('[', 'the proxy reads [ inside [] as a class of its own; write \\[');
    else if (/^(?:&&|--|~~)/.test(rest)) {
      token = foreign(rest.slice(0, 2), 'inside [] the proxy reads && -- ~~ as operations on sets');
    } else if (afterSet && rest[0] === '-' && rest[1] !== ']') {
      token = foreign('-', 'a range needs a character at both ends; write \\-');
    } else if (rest.startsWith('\\')) token = escapeToken(rest, true);
    else token = { kind: 'literal', text: String.fromCodePoint(rest.codePointAt(0) ?? 0) };
    yield token;
    afterSet = token.kind === 'shorthand' || token.kind === 'property' || token.kind === 'posix';
    at += token.text.length;
  }
  if (at < pattern.length) yield { kind: 'class-close', text: ']' };
  return at + 1;
}

export function* regexTokens(pattern: string): Generator<RegexToken> {
  let [at, afterFlags] = [0, false];
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    if (char === '[') {
      at = yield* classTokens(pattern, at);
      afterFlags = false;
      continue;
    }
    const token = outsideToken(char, rest);
    yield afterFlags && token.kind === 'repeat'
      ? foreign(token.text, 'the proxy finds nothing to repeat after flags')
      : token;
    afterFlags = token.kind === 'flags';
    at += token.text.length;
  }
}

const outsideToken = (char: string, rest: string): RegexToken => {
  switch (char) {
    case '\\':
      return escapeToken(rest, false);
    case '(':
      return groupOpen(rest);
    case ')':
      return { kind: 'group-close', text: char };
    case '|':
      return { kind: 'alternation', text: char };
    case '.':
      return { kind: 'any', text: char };
    case '^':
    case '$':
      return { kind: 'assertion', text: char };
    case '*':
    case '+':
    case '?':
      return { kind: 'repeat', text: char, copies: 1 };
    case '{': {
      const counted = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
      if (counted === null) return foreign('{', 'the proxy reads { as a repetition such as {2,3}; write \\{');
      const copies = Math.max(1, Number(counted[1]), Number(counted[2] || 0));
      return { kind: 'repeat', text: counted[0], copies };
    }
    default:
      return { kind: 'literal', text: char };
  }
};
