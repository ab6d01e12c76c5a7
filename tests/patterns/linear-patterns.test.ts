import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { laboriousTexts } from './laborious-texts.ts';
import { productPatterns } from './product-patterns.ts';

/** Those that are made of text, by the place of the call. */
const made: Readonly<Record<string, RegExp>> = {
  'shared/core/src/inbound/unnormalized-path.ts': new RegExp(unnormalizedPath, 's'),
};

const literal = (text: string): RegExp => {
  const end = text.lastIndexOf('/');
  return new RegExp(text.slice(1, end), text.slice(end + 1));
};

/** Of CPU: that the machine had others to serve says nothing of a pattern. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** As the most laborious caller uses it: from every place of the text at which the match before has ended. */
const millisecondsOf = (pattern: RegExp, text: string): number => {
  const everywhere = pattern.sticky
    ? pattern
    : new RegExp(pattern.source, `g${pattern.flags.replace('g', '')}`);
  const startedAt = cpuMs();
  text.replace(everywhere, '');
  return cpuMs() - startedAt;
};

const bestOf = (pattern: RegExp, text: string): number =>
  Math.min(...[1, 2, 3].map(() => millisecondsOf(pattern, text)));

/** A linear pattern takes a millisecond for 64 KiB, a quadratic one seconds: what lies between is timed again. */
const noticeableMs = 25;
const intolerableMs = 500;

/**
 * Exponential and cubic patterns show themselves in short texts, and would not come to an end in long ones: each of the short
 * lengths makes an exponential one sixteen times as costly, so that it is noticed on a fast machine too before the next.
 */
const shortLengths = [20, 24, 28, 256];

/** Whether the text makes the pattern work, and `twice` as much of it far more than twice as hard. */
const growsTooFast = (pattern: RegExp, text: string, twice?: string): boolean => {
  const first = millisecondsOf(pattern, text);
  if (first < noticeableMs || first >= intolerableMs) return first >= intolerableMs;
  const once = bestOf(pattern, text);
  return once >= noticeableMs && (twice === undefined || bestOf(pattern, twice) > 3 * once);
};

const costlyText = (pattern: RegExp, length: number): string | undefined => {
  for (const short of shortLengths) {
    const costly = laboriousTexts(pattern, short).find((text) => growsTooFast(pattern, text));
    if (costly !== undefined) return costly;
  }
  const twice = laboriousTexts(pattern, 2 * length);
  return laboriousTexts(pattern, length).find((text, index) =>
    growsTooFast(pattern, text, twice[index] ?? ''),
  );
};

test('the texts tell a pattern whose work grows faster than its text', () => {
  const costly = [
    /(a+)+$/,
    /^ {2}(?:ok|!!) (.+?) {2,}(\d{3} [\w ]+|refused)$/,
    /\/+$/,
    /"(?:[^"\\]|\\.)*"/g,
    /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g,
  ];
  for (const pattern of costly) assert.ok(costlyText(pattern, 32_768), String(pattern));
});

test("every regular expression of the product costs no more than its text's length", () => {
  const found = productPatterns();
  assert.ok(found.length > 100, `${found.length} were found`);
  const patterns = new Map<string, RegExp>();
  for (const { text, place } of found) {
    const pattern = text === 'RegExp(' ? made[place.replace(/:\d+$/, '')] : literal(text);
    assert.ok(pattern, `${place}: write a literal, or add it to the table of those that are made`);
    patterns.set(String(pattern), pattern);
  }
  for (const pattern of patterns.values()) {
    const text = costlyText(pattern, 65_536);
    assert.equal(text?.slice(0, 80), undefined, String(pattern));
  }
});
