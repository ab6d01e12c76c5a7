import { type RegexToken, regexTokens } from './proxy-regex-tokens.ts';

/** What one piece of a regular expression counts for. */
type Cost = (token: RegexToken) => number;

/**
 * An upper bound of the compiled size in the proxy's engine, in bytes, and the depth of parentheses. What each piece costs
 * was measured with regex 1.12: a letter 32 to 81, `.` 1,013, `\s` 688 to 1,953, `\d` 5,178, `\D` 12,819, `\w` and Unicode
 * properties up to 51,150. A class is at most about as big as the largest property.
 */
export const compiledSize = (
  tokens: readonly RegexToken[],
): { readonly bytes: number; readonly depth: number } => {
  const folds = foldsCase(tokens);
  const { size, depth } = measure(tokens, { costOf: (token) => compiledCost(token, folds), largestClass });
  return { bytes: size, depth };
};

const largestClass = 52_000;

const compiledCost = (token: RegexToken, folds: boolean): number => {
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
      return isAscii(token) ? 110 : folds ? 10_000 : 600;
    default:
      return 110;
  }
};

/**
 * How large a pattern is for those who judge it and compile rows with it: bytes as they are written, pieces with their
 * repetitions written out, or, since one of them can cost as much as hundreds of letters, Unicode classes at what RE2 takes
 * to build them (a letter 1 µs, `\pL` 45, without regard to case 250 to 1,000, a range beyond ASCII then 20,000).
 */
export const proxyRegexSize = (pattern: string): number => {
  const tokens = [...regexTokens(pattern)];
  const folds = foldsCase(tokens);
  const pieces = measure(tokens, { costOf: pieceCost, largestClass: 1 }).size;
  let inClass = false;
  let built = 0;
  for (const token of tokens) {
    if (token.kind === 'class-open') inClass = true;
    else if (token.kind === 'class-close') inClass = false;
    built += buildingCost(token, { folds, inClass });
  }
  return Math.max(Buffer.byteLength(pattern), pieces, built);
};

/** What matches a character or a place counts, and what is or: the rest says how often and together with what. */
const pieceCost: Cost = ({ kind }) =>
  kind === 'repeat' || kind === 'class-close' || kind === 'group-close' ? 0 : 1;

const buildingCost = (
  token: RegexToken,
  { folds, inClass }: { readonly folds: boolean; readonly inClass: boolean },
): number => {
  switch (token.kind) {
    case 'property':
      return folds ? 250 : 45;
    case 'shorthand':
      return /[wW]/.test(token.text) ? 64 : 8;
    case 'literal':
      // Such a class could match nothing: what the proxy shows its expressions is ASCII.
      return folds && inClass && !isAscii(token) ? 10_000 : 1;
    default:
      return 1;
  }
};

const isAscii = ({ text }: RegexToken): boolean => /^(?:[\0-\x7f]|\\[^x])$/.test(text);

const foldsCase = (tokens: readonly RegexToken[]): boolean =>
  tokens.some(({ text }) => /^\(\?[a-zA-Z]*i/.test(text));

/** Sums costs, the pieces that are repeated as often as they may come. */
const measure = (
  tokens: readonly RegexToken[],
  { costOf, largestClass }: { readonly costOf: Cost; readonly largestClass: number },
): { readonly size: number; readonly depth: number } => {
  let [size, last, depth] = [0, 0, 0];
  let classSize: number | undefined;
  const outer: number[] = [];
  for (const token of tokens) {
    const cost = costOf(token);
    if (token.kind === 'repeat' && classSize === undefined) {
      size += last * (token.copies - 1) + cost * token.copies;
      last = last * token.copies + cost * token.copies;
    } else if (token.kind === 'class-open') {
      classSize = cost;
    } else if (token.kind === 'class-close') {
      last = Math.min(classSize ?? 0, largestClass) + cost;
      size += last;
      classSize = undefined;
    } else if (classSize !== undefined) {
      classSize += cost;
    } else if (token.kind === 'group-open') {
      depth = Math.max(depth, outer.push(size));
    } else if (token.kind === 'group-close') {
      last = size - (outer.pop() ?? 0) + cost;
      size += cost;
    } else {
      last = cost;
      size += cost;
    }
  }
  return { size, depth };
};
