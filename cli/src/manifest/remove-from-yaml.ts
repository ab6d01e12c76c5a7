import { pointer } from '@gatehouse/core/injection/json-patch';
import { isSeq, type Node } from 'yaml';
import { formerOf } from './emptied.ts';
import {
  applyEdits,
  type Edit,
  endOf,
  entriesOf,
  isFlow,
  itemsOf,
  lineStart,
  nextLine,
  nodeAt,
  type ParsedText,
  parseText,
  startOf,
} from './yaml-nodes.ts';

/** Where an entry of a map or an item of a list is: keys and indexes. */
export type Place = readonly string[];

/**
 * Takes entries and items out of a document's text, and leaves every other byte as it is. What `add-to-yaml.ts` added goes without
 * a trace: a collection in which nothing is left goes too, unless it was written empty before.
 */
export const removeFromYaml = (text: string, places: readonly Place[]): string => {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  const parsed = parseText(whole);
  const result = applyEdits(whole, editsFor(parsed, places));
  return text.endsWith('\n') ? result : result.replace(/\r?\n$/, '');
};

/** Members of one collection that are to go. */
interface Group {
  readonly holder: Place;
  readonly members: Set<string>;
}

const groupByHolder = (places: readonly Place[]): readonly Group[] => {
  const groups = new Map<string, Group>();
  for (const place of places) {
    const holder = place.slice(0, -1);
    const id = pointer(...holder);
    const group = groups.get(id) ?? { holder, members: new Set() };
    group.members.add(place.at(-1) ?? '');
    groups.set(id, group);
  }
  // The deepest first: what becomes empty goes with the members of its holder.
  return [...groups.values()].sort((a, b) => b.holder.length - a.holder.length);
};

const editsFor = (parsed: ParsedText, places: readonly Place[]): readonly Edit[] => {
  let left = places;
  const edits: Edit[] = [];
  for (;;) {
    const [group] = groupByHolder(left);
    if (group === undefined) return edits;
    const { holder, members } = group;
    left = left.filter((place) => pointer(...place.slice(0, -1)) !== pointer(...holder));
    const node = nodeAt(parsed.root, holder);
    const parts = node === undefined ? [] : membersOf(node);
    const gone = parts.map(({ name }) => members.has(name));
    if (node === undefined || !gone.includes(true)) continue;
    if (gone.includes(false)) edits.push(...without(parsed, node, parts, gone));
    else {
      const outcome = whenEmpty(parsed, node);
      if (outcome === 'goes') left = [...left, holder];
      else edits.push(outcome);
    }
  }
};

interface Member {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const membersOf = (node: Node): readonly Member[] =>
  isSeq(node)
    ? itemsOf(node).map((item, index) => ({ name: `${index}`, start: startOf(item), end: endOf(item) }))
    : entriesOf(node).map(({ key, value }) => ({
        name: `${(key as { readonly value?: unknown }).value}`,
        start: startOf(key),
        end: Math.max(endOf(key), endOf(value)),
      }));

/** What becomes of a collection in which nothing is left: see `addToYaml` for the forms. */
const whenEmpty = ({ text }: ParsedText, node: Node): Edit | 'goes' => {
  if (!isFlow(node)) return 'goes';
  const [start, end] = [startOf(node), endOf(node)];
  const former = formerOf(text.slice(start, end));
  switch (former.kind) {
    case 'no-key':
      return 'goes';
    case 'empty-collection':
      return { at: start + 1, remove: end - start - 2, insert: '', depth: 0 };
    case 'word': {
      const from = former.word === '' ? text.lastIndexOf(':', start) + 1 : start;
      return { at: from, remove: end - from, insert: former.word, depth: 0 };
    }
  }
};

const without = (
  { text }: ParsedText,
  node: Node,
  members: readonly Member[],
  gone: readonly boolean[],
): readonly Edit[] => {
  const edits: Edit[] = [];
  const cut = (from: number, to: number): void =>
    void edits.push({ at: from, remove: to - from, insert: '', depth: 0 });
  const kept = members.filter((_, at) => gone[at] === false);
  for (const [at, member] of members.entries()) {
    if (gone[at] !== true) continue;
    if (isFlow(node)) {
      // Those before the first that stays go with what follows them, all others with what precedes them.
      const [before, after] = [members[at - 1], members[at + 1]];
      const isLeading = kept.every(({ start }) => start > member.start);
      if (isLeading && after !== undefined) cut(member.start, after.start);
      else if (before !== undefined) cut(before.end, member.end);
      continue;
    }
    const end = nextLine(text, member.end);
    const start = lineStart(text, member.start);
    const isAfterDash = !isSeq(node) && text.slice(start, member.start).trim() !== '';
    const next = members[at + 1];
    // The first entry of an item stands behind the item's dash, which stays for the next entry.
    if (isAfterDash && next !== undefined) cut(member.start, next.start);
    else cut(isAfterDash ? member.start : start, end);
  }
  return edits;
};
