/**
 * How text from outside is shown in a sentence of ours, in a log line, an error, a status or a finding. Every
 * such text goes through this file: it costs its reader no more than a line, whatever its length, and nothing in it can
 * pass for something else. A line feed would begin a line of the log, an escape sequence would act on a terminal, a
 * bidirectional override would reorder our own words (Unicode TR 36 §3.1), half a surrogate pair cannot be sent.
 */

/** Enough to recognise a name or a path by. */
const usualLength = 80;

/**
 * Cc: C0 and C1 with DEL; Cf: bidirectional overrides, joiners, byte order marks, tags; Cs: half a pair; Co: of no known
 * meaning; Zl, Zp: separators of lines. A backslash stays single, since patterns are full of them.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** A backtick, inside a quotation, would end it. */
const unquotable = /[`\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

const escapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['`', '\\`'],
]);

const escaped = (char: string): string =>
  escapes.get(char) ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

interface Shown {
  readonly text: string;
  /** What is said of the length where not everything had room. */
  readonly left: string;
}

/** As much of the text as has room in `longest` characters once it is escaped; reads no further than that. */
const show = (text: string, longest: number, unwanted: RegExp): Shown => {
  if (text.length <= longest && !unwanted.test(text)) return { text, left: '' };
  let shown = '';
  for (const char of text) {
    const next = unwanted.test(char) ? escaped(char) : char;
    if (shown.length + next.length > longest)
      return { text: `${shown}…`, left: ` (${text.length} characters)` };
    shown += next;
  }
  return { text: shown, left: '' };
};

/** The text for the inside of a sentence, a name for example; what does not fit is left out, and the length said. */
export const printable = (text: string, longest = usualLength): string => {
  const shown = show(text, longest, unprintable);
  return shown.text + shown.left;
};

/** The text between backticks. */
export const quoted = (text: string, longest = usualLength): string => {
  const shown = show(text, longest, unquotable);
  return `\`${shown.text}\`${shown.left}`;
};
