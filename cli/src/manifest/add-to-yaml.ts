import { type Addition, pointerParts } from '@gatehouse/core/injection/json-patch';
import { isMap, isSeq, type Node, stringify } from 'yaml';
import { wasEmpty } from './emptied.ts';
import {
  applyEdits,
  columnOf,
  type Edit,
  type Entry,
  endOf,
  entriesOf,
  entryOf,
  isEmpty,
  isFlow,
  itemsOf,
  lineStart,
  nextLine,
  nodeAt,
  type ParsedText,
  parseText,
  startOf,
} from './yaml-nodes.ts';

/**
 * Adds to a document's text what a patch adds to its object, and leaves every other byte as it is: comments, quotes, order and
 * fields that nobody knows. `remove-from-yaml.ts` takes it out again so that the text is what it was; for that a collection which
 * is made for the purpose has a form of its own: a block where it has room, else braces with spaces inside.
 */
export const addToYaml = (text: string, additions: readonly Addition[]): string => {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  const parsed = parseText(whole);
  const style = styleOf(parsed);
  const edits = groupByHolder(parsed, foldAdditions(additions)).flatMap((one) =>
    editsFor(parsed, one, style),
  );
  const result = applyEdits(whole, edits);
  return text.endsWith('\n') ? result : result.slice(0, -1);
};

/** What is added at one place of what is there already. */
interface Folded {
  readonly parts: readonly string[];
  readonly value: unknown;
}

/** Patches add an object before they add to it; a text has each thing added once, with all that is in it. */
const foldAdditions = (additions: readonly Addition[]): readonly Folded[] => {
  const folded: { parts: readonly string[]; value: unknown }[] = [];
  for (const { path, value } of additions) {
    const parts = pointerParts(path);
    const holder = folded.find(
      (one) => one.parts.length < parts.length && one.parts.every((part, at) => part === parts[at]),
    );
    if (holder === undefined) folded.push({ parts, value: structuredClone(value) });
    else holder.value = put(holder.value, parts.slice(holder.parts.length), value);
  }
  return folded;
};

/** All that is added to one map or list of the document. */
interface Group {
  readonly place: readonly string[];
  readonly holder: Node;
  readonly members: { readonly name: string; readonly value: unknown }[];
}

const groupByHolder = ({ root }: ParsedText, folded: readonly Folded[]): readonly Group[] => {
  const groups = new Map<string, Group>();
  for (const { parts, value } of folded) {
    const place = parts.slice(0, -1);
    const holder = nodeAt(root, place);
    if (holder === undefined) throw new Error(`nothing to add to at ${parts.join('/')}`);
    const id = place.join('/');
    const group = groups.get(id) ?? { place, holder, members: [] };
    group.members.push({ name: parts.at(-1) ?? '', value });
    groups.set(id, group);
  }
  return [...groups.values()];
};

const put = (into: unknown, [first = '', ...rest]: readonly string[], value: unknown): unknown => {
  if (Array.isArray(into)) {
    const at = first === '-' ? into.length : Number(first);
    return rest.length === 0 ? into.toSpliced(at, 0, value) : into.with(at, put(into[at], rest, value));
  }
  const object = into as Readonly<Record<string, unknown>>;
  return { ...object, [first]: rest.length === 0 ? value : put(object[first], rest, value) };
};

/** How the document is written, so that what is added looks like it. */
interface Style {
  /** Columns by which a block is further in than what holds it. */
  readonly step: number;
  /** Whether the dashes of a list are further in than its key. */
  readonly indentLists: boolean;
  readonly lineEnd: '\n' | '\r\n';
}

const styleOf = ({ text, root }: ParsedText): Style => {
  let step: number | undefined;
  let indentLists: boolean | undefined;
  const look = (node: Node): void => {
    for (const { key, value } of entriesOf(node)) {
      if (isFlow(value)) continue;
      const [outer, inner] = [columnOf(text, startOf(key)), columnOf(text, startOf(value))];
      if (isMap(value) && inner > outer) step ??= inner - outer;
      if (isSeq(value)) indentLists ??= inner > outer;
      look(value);
    }
    for (const item of itemsOf(node)) look(item);
  };
  look(root);
  return {
    step: Math.min(step ?? 2, 8),
    indentLists: indentLists ?? false,
    lineEnd: text.includes('\r\n') ? '\r\n' : '\n',
  };
};

const editsFor = (parsed: ParsedText, { place, holder, members }: Group, style: Style): readonly Edit[] => {
  const depth = place.length + 1;
  if (isSeq(holder)) {
    const isEmptyList = itemsOf(holder).length === 0;
    const front = members.filter(({ name }) => name !== '-' && !isEmptyList).map(({ value }) => value);
    const back = members.filter(({ name }) => name === '-' || isEmptyList).map(({ value }) => value);
    const write = isFlow(holder) ? flowItems : blockItems;
    return [
      ...(front.length === 0
        ? []
        : [write(parsed, { holder, place, values: front, isFront: true, depth }, style)]),
      ...(back.length === 0
        ? []
        : [write(parsed, { holder, place, values: back, isFront: false, depth }, style)]),
    ];
  }
  const replaced = members.flatMap(({ name, value }) => {
    const present = entryOf(holder, name);
    return present === undefined ? [] : [replace(parsed, present, { value, depth })];
  });
  const news = members.filter(({ name }) => entryOf(holder, name) === undefined);
  if (news.length === 0) return replaced;
  const write = isFlow(holder) ? flowEntries : blockEntries;
  return [...replaced, write(parsed, { holder, members: news, depth }, style)];
};

interface Items {
  readonly holder: Node;
  readonly place: readonly string[];
  readonly values: readonly unknown[];
  readonly isFront: boolean;
  readonly depth: number;
}

interface Entries {
  readonly holder: Node;
  readonly members: readonly { readonly name: string; readonly value: unknown }[];
  readonly depth: number;
}

const blockText = (value: unknown, column: number, { step, indentLists, lineEnd }: Style): string =>
  stringify(value, { indent: step, indentSeq: indentLists, lineWidth: 0, compat: 'yaml-1.1' })
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(column) + line) + lineEnd)
    .join('');

const blockEntries = ({ text }: ParsedText, { holder, members, depth }: Entries, style: Style): Edit => {
  const [first] = entriesOf(holder);
  const column = columnOf(text, first === undefined ? startOf(holder) : startOf(first.key));
  const value = Object.fromEntries(members.map((member) => [member.name, member.value]));
  return { at: nextLine(text, endOf(holder)), remove: 0, insert: blockText(value, column, style), depth };
};

const blockItems = (
  { text, root }: ParsedText,
  { holder, place, values, isFront, depth }: Items,
  style: Style,
): Edit => {
  // Below the line of the key, so that a comment before the first item stays with it.
  const map = nodeAt(root, place.slice(0, -1));
  const key = map === undefined ? undefined : entryOf(map, place.at(-1) ?? '')?.key;
  const top = key === undefined ? lineStart(text, startOf(holder)) : nextLine(text, endOf(key));
  return {
    at: isFront ? top : nextLine(text, endOf(holder)),
    remove: 0,
    insert: blockText(values, columnOf(text, startOf(holder)), style),
    depth,
  };
};

/** JSON is what braces and brackets hold in YAML, too. The space inside says that nothing was written there before. */
const flowText = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(flowText).join(', ')} ]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, each]) => flowEntry(name, each));
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
};

const flowEntry = (name: string, value: unknown): string => `${JSON.stringify(name)}: ${flowText(value)}`;

/** What stands between two members: a line of its own where the document has one for each. */
const separator = (text: string, holder: Node, member: Node): string => {
  const isSpread = text.slice(startOf(holder), startOf(member)).includes('\n');
  return isSpread ? `,\n${' '.repeat(columnOf(text, startOf(member)))}` : ', ';
};

const flowEntries = ({ text }: ParsedText, { holder, members, depth }: Entries): Edit => {
  const last = entriesOf(holder).at(-1);
  const written = members.map(({ name, value }) => flowEntry(name, value));
  if (last === undefined) return { at: startOf(holder) + 1, remove: 0, insert: written.join(', '), depth };
  const between = separator(text, holder, last.key);
  return {
    at: isBlank(last.value) ? afterColon(text, last.key) : endOf(last.value),
    remove: 0,
    insert: written.map((entry) => between + entry).join(''),
    depth,
  };
};

const flowItems = ({ text }: ParsedText, { holder, values, isFront, depth }: Items): Edit => {
  const [first, last] = [itemsOf(holder)[0], itemsOf(holder).at(-1)];
  const written = values.map(flowText);
  if (first === undefined || last === undefined)
    return { at: startOf(holder) + 1, remove: 0, insert: written.join(', '), depth };
  const between = separator(text, holder, isFront ? first : last);
  return isFront
    ? { at: startOf(first), remove: 0, insert: written.map((item) => item + between).join(''), depth }
    : { at: endOf(last), remove: 0, insert: written.map((item) => between + item).join(''), depth };
};

const isBlank = (value: Node): boolean => isEmpty(value) && endOf(value) === startOf(value);
const afterColon = (text: string, key: Node): number => text.indexOf(':', endOf(key)) + 1;

/** An entry that is there: nothing is written in it, or it is to say something else. */
const replace = (
  { text }: ParsedText,
  { key, value: old }: Entry,
  { value, depth }: { readonly value: unknown; readonly depth: number },
): Edit => {
  const written = isEmpty(old)
    ? wasEmpty(flowText(value), text.slice(startOf(old), endOf(old)))
    : flowText(value);
  return isBlank(old)
    ? { at: afterColon(text, key), remove: 0, insert: ` ${written}`, depth }
    : { at: startOf(old), remove: endOf(old) - startOf(old), insert: written, depth };
};
