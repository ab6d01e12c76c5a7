import { GatehouseError } from '@gatehouse/core/error';
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, type Node, parseDocument } from 'yaml';

/** An edit of a text: what is at a place gives way to something else. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
  /** Of edits at one place the deepest is made first: it ends what the others come after. */
  readonly depth: number;
}

/** One document of a manifest, as text and as a tree of nodes that know where in the text they are. */
export interface ParsedText {
  readonly text: string;
  readonly root: Node;
}

/** Only the places matter here; values are read as kubectl reads them elsewhere. */
export const parseText = (text: string): ParsedText => {
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: false });
  const [error] = document.errors;
  if (error !== undefined) throw new GatehouseError('invalid-argument', error.message);
  if (document.contents === null) throw new GatehouseError('internal', 'an empty document is edited');
  return { text, root: document.contents };
};

const startOf = (node: Node): number => node.range?.[0] ?? 0;

/** Where a node's own text ends, without comments and blank lines after it. */
export const endOf = (node: Node): number => {
  if (isCollection(node) && node.flow !== true) {
    const last = node.items.at(-1);
    if (isPair(last)) return last.value === null ? endOf(last.key as Node) : endOf(last.value as Node);
    if (last !== undefined) return endOf(last as Node);
  }
  return node.range?.[1] ?? 0;
};

/** The place after the line in which a place is. A block scalar ends where the next line begins. */
export const nextLine = (text: string, at: number): number => {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
};

export const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** How far a place is from the start of its line. */
export const columnOf = (text: string, at: number): number => at - lineStart(text, at);

/** An entry of a map; `value` is a scalar without text where nothing is written. */
export interface Entry {
  readonly key: Node;
  readonly value: Node;
}

export const entriesOf = (map: Node): readonly Entry[] =>
  isMap(map) ? map.items.map(({ key, value }) => ({ key: key as Node, value: (value ?? key) as Node })) : [];

export const itemsOf = (list: Node): readonly Node[] => (isSeq(list) ? (list.items as Node[]) : []);

export const entryOf = (map: Node, name: string): Entry | undefined =>
  entriesOf(map).find(({ key }) => isScalar(key) && key.value === name);

/** Whether nothing, or a word for nothing, is written as a value. */
export const isEmpty = (node: Node): boolean =>
  isScalar(node) &&
  node.type === 'PLAIN' &&
  ['', '~', 'null', 'Null', 'NULL'].includes(`${node.source ?? ''}`);

/** The node at the end of a path of keys and indexes; undefined where there is none. */
export const nodeAt = (root: Node, parts: readonly string[]): Node | undefined => {
  let node: Node | undefined = root;
  for (const part of parts) {
    if (node === undefined) return undefined;
    if (isAlias(node))
      throw new GatehouseError(
        'invalid-argument',
        `*${node.source} stands for what another place says: write it out where pods are to be injected`,
      );
    node = isSeq(node) ? itemsOf(node)[Number(part)] : entryOf(node, part)?.value;
  }
  return node;
};

export const isFlow = (node: Node): boolean => isCollection(node) && node.flow === true;

export const sourceOf = ({ text }: ParsedText, node: Node): string => text.slice(startOf(node), endOf(node));

export { startOf };

/** Makes edits that do not overlap. */
export const applyEdits = (text: string, edits: readonly Edit[]): string => {
  const ordered = edits
    .map((edit, order) => ({ edit, order }))
    .sort((a, b) => a.edit.at - b.edit.at || b.edit.depth - a.edit.depth || a.order - b.order);
  let result = '';
  let from = 0;
  for (const { edit } of ordered) {
    result += text.slice(from, edit.at) + edit.insert;
    from = edit.at + edit.remove;
  }
  return result + text.slice(from);
};
