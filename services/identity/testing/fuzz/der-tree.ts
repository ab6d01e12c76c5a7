import { derTag, joinBytes } from '@gatehouse/core/der/der';
import { type DerNode, parseDer } from '@gatehouse/core/der/parse-der';

/**
 * An element that can be written wrongly: any identifier, any length octets, anything before and after its content. Good
 * DER is read into it, one thing is spoilt, and the elements around it are written to fit.
 */
export interface DerTree {
  readonly identifier: readonly number[];
  /** Before the elements inside: the count of unused bits of a BIT STRING that wraps one. */
  readonly prefix?: Uint8Array;
  readonly body: Uint8Array | readonly DerTree[];
  /** Instead of the shortest definite form. */
  readonly lengthOctets?: (contentLength: number) => readonly number[];
  /** After the content and not counted by the length. */
  readonly trailer?: Uint8Array;
}

/** Also opens OCTET STRINGs and BIT STRINGs that hold DER: extension values and the signature. */
export const readTree = (der: Uint8Array): DerTree => {
  const outcome = parseDer(der);
  if (!outcome.ok) throw new TypeError('only good DER can be read into a tree');
  return treeOf(outcome.value);
};

const treeOf = ({ tag, content, children }: DerNode): DerTree => {
  const identifier = [tag];
  if ((tag & 0x20) !== 0) return { identifier, body: children.map(treeOf) };
  const prefixed = tag === derTag.bitString ? 1 : 0;
  if (tag !== derTag.octetString && tag !== derTag.bitString) return { identifier, body: content };
  const inside = parseDer(content.subarray(prefixed));
  return inside.ok
    ? { identifier, prefix: content.subarray(0, prefixed), body: [treeOf(inside.value)] }
    : { identifier, body: content };
};

export const writeTree = (tree: DerTree): Uint8Array => {
  const inside = tree.body instanceof Uint8Array ? tree.body : joinBytes(tree.body.map(writeTree));
  const content = tree.prefix === undefined ? inside : joinBytes([tree.prefix, inside]);
  const length = (tree.lengthOctets ?? shortest)(content.length);
  return joinBytes([
    Uint8Array.from([...tree.identifier, ...length]),
    content,
    tree.trailer ?? new Uint8Array(),
  ]);
};

export const childrenOf = ({ body }: DerTree): readonly DerTree[] => (body instanceof Uint8Array ? [] : body);

export const octetsOf = (length: number): number[] => {
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return octets;
};

const shortest = (length: number): number[] => {
  const octets = octetsOf(length);
  return length < 0x80 ? [length] : [0x80 | octets.length, ...octets];
};

/** Where an element lies: the places among their siblings on the way down to it. */
export type Path = readonly number[];

export const pathsOf = (tree: DerTree, path: Path = []): Path[] => [
  path,
  ...childrenOf(tree).flatMap((child, index) => pathsOf(child, [...path, index])),
];

/** The tree with the element at `path` changed. */
export const changeAt = (tree: DerTree, path: Path, change: (element: DerTree) => DerTree): DerTree => {
  const [first, ...rest] = path;
  if (first === undefined) return change(tree);
  const body = childrenOf(tree).map((child, index) =>
    index === first ? changeAt(child, rest, change) : child,
  );
  return { ...tree, body };
};

export const elementAt = (tree: DerTree, path: Path): DerTree => {
  const [first, ...rest] = path;
  const child = first === undefined ? tree : childrenOf(tree)[first];
  if (child === undefined) throw new RangeError('there is no such element');
  return first === undefined ? tree : elementAt(child, rest);
};
