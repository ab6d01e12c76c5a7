import { printable } from '@gatehouse/core/foreign-text';
import { censored, secretFields, withoutSecrets } from './log-secrets.ts';

/** Characters of one text, of one stack, and of a whole line: what people read and collectors accept. */
const longestText = 2_048;
const longestStack = 8_192;
export const longestLine = 16_384;

/**
 * The line as it may be written, from a line of JSON with its line feed. Whatever a stranger made a part of ours say, the
 * line is short, shows no secret, and nothing in it begins another line or acts on a terminal. The work grows with the
 * line's length and no faster, since the stranger decides about that too.
 */
export const asWritten = (line: string): string => {
  const safe = replaceTexts(line.trimEnd());
  return `${safe.length < longestLine ? safe : leaveOutFields(safe)}\n`;
};

const replaceTexts = (line: string): string => {
  let safe = '';
  let copied = 0;
  let field = '';
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', copied)) {
    const end = endOfText(line, at + 1);
    const text: string = JSON.parse(line.slice(at, end));
    const isName = line[end] === ':';
    if (isName) field = text.toLowerCase();
    const shown = isName ? printable(text) : shownText(field, text);
    safe += line.slice(copied, at) + (shown === text ? line.slice(at, end) : JSON.stringify(shown));
    copied = end;
  }
  return safe + line.slice(copied);
};

/** The index after the quotation mark that ends a text of JSON; marks inside of it come after a backslash. */
const endOfText = (line: string, from: number): number => {
  let at = from;
  while (at < line.length && line[at] !== '"') at += line[at] === '\\' ? 2 : 1;
  return at + 1;
};

/** The items of a list count as texts of the list's field. */
const shownText = (field: string, text: string): string => {
  if (secretFields.has(field)) return censored;
  const clean = withoutSecrets(text);
  if (field !== 'stack') return printable(clean, longestText);
  // A stack is read line by line. Where it is printed as such its lines are indented, so none passes for one of the log's.
  const lines = clean.slice(0, longestStack).split('\n');
  return lines.map((each) => printable(each, longestText)).join('\n');
};

/** The sentence stays, and the fields as long as there is room; one that has none is replaced by its length. */
const leaveOutFields = (line: string): string => {
  const { msg, ...fields }: Record<string, unknown> = JSON.parse(line);
  const kept: Record<string, unknown> = {};
  let room = longestLine - sizeOf('msg', msg) - 2;
  for (const [name, value] of Object.entries(fields)) {
    const note = `left out: ${JSON.stringify(value).length} characters`;
    const shown = sizeOf(name, value) <= room - reserve ? value : note;
    if (sizeOf(name, shown) > room) continue;
    kept[name] = shown;
    room -= sizeOf(name, shown);
  }
  return JSON.stringify({ ...kept, msg });
};

/** Kept for what comes after a long field: `time` and `service` come first, whatever a part adds comes later. */
const reserve = 1_024;

const sizeOf = (name: string, value: unknown): number => JSON.stringify({ [name]: value }).length - 1;
