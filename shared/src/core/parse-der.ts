import { compareBytes, derTag } from './der.ts';
import { type Parsed, parsed, problem } from './problem.ts';

/** One element as read. `bytes` and `content` are views of the input, to be copied verbatim where that matters. */
export interface DerNode {
  readonly tag: number;
  /** Identifier, length and content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
  /** The elements inside a constructed one; none in a primitive one. */
  readonly children: readonly DerNode[];
}

/** Certificates nest to about ten levels; deeper input is an attack on the stack. */
const maxDepth = 16;

/**
 * Reads exactly one element with everything in it, and nothing but DER (X.690): what two readers could read differently
 * (long length forms, padding, trailing bytes) is refused, so that a request means one thing only. `name` says in
 * problems what was being read, such as `certificate signing request`.
 */
export const parseDer = (bytes: Uint8Array, name = 'DER'): Parsed<DerNode> => {
  const read = readElement(bytes, 0, maxDepth);
  if (typeof read === 'string') return problem(name, read, 'send strict DER (X.690)');
  if (read.bytes.length < bytes.length) {
    return problem(name, `${bytes.length - read.bytes.length} bytes follow the element`, 'send it alone');
  }
  return parsed(read);
};

/** The element at `from`, or what is wrong with it. */
const readElement = (bytes: Uint8Array, from: number, depth: number): DerNode | string => {
  const tag = bytes[from];
  const first = bytes[from + 1];
  if (tag === undefined || first === undefined) return `it breaks off at byte ${bytes.length}`;
  if ((tag & 0x1f) === 0x1f) return `a tag number above 30 at byte ${from}`;
  let at = from + 2;
  let length = first;
  if (first === 0x80) return `an indefinite length at byte ${from + 1}`;
  if (first > 0x80) {
    const octets = first & 0x7f;
    if (octets > 4) return `a length of ${octets} octets at byte ${from + 1}`;
    if (at + octets > bytes.length) return `it breaks off at byte ${bytes.length}`;
    length = 0;
    for (const end = at + octets; at < end; at += 1) length = length * 256 + (bytes[at] ?? 0);
    if (length < 0x80 || length < 256 ** (octets - 1)) return `a padded length at byte ${from + 1}`;
  }
  if (length > bytes.length - at) return `it breaks off at byte ${bytes.length}`;
  const element = { tag, bytes: bytes.subarray(from, at + length), content: bytes.subarray(at, at + length) };
  const flaw = flawOf(element);
  if (flaw !== undefined) return `${flaw} at byte ${from}`;
  if ((tag & 0x20) === 0) return { ...element, children: [] };
  if (depth === 0) return `more than ${maxDepth} levels at byte ${from}`;
  // A child may not reach beyond its parent, so it is shown the bytes up to the parent's end only.
  const inside = bytes.subarray(0, at + length);
  const children: DerNode[] = [];
  while (at < inside.length) {
    const child = readElement(inside, at, depth - 1);
    if (typeof child === 'string') return child;
    children.push(child);
    at += child.bytes.length;
  }
  if (tag === derTag.set && children.some((child, index) => isBefore(child, children[index - 1]))) {
    return `an unsorted SET at byte ${from}`;
  }
  return { ...element, children };
};

const isBefore = (child: DerNode, previous: DerNode | undefined): boolean =>
  previous !== undefined && compareBytes(child.bytes, previous.bytes) < 0;

/** What DER forbids in the content of universal types. */
const flawOf = ({
  tag,
  content,
}: {
  readonly tag: number;
  readonly content: Uint8Array;
}): string | undefined => {
  const [first = 0, second = 0] = content;
  const last = content.at(-1) ?? 0;
  if (tag === derTag.sequence || tag === derTag.set || tag >= 0x40) return undefined;
  if ((tag & 0x20) !== 0) return 'a primitive type in constructed form';
  switch (tag) {
    case 0x00:
      return 'an end-of-contents marker';
    case 0x10:
    case 0x11:
      return 'a SEQUENCE or SET in primitive form';
    case derTag.boolean:
      return content.length === 1 && (first === 0 || first === 0xff) ? undefined : 'a malformed BOOLEAN';
    case derTag.integer:
      if (content.length === 0) return 'an empty INTEGER';
      return content.length > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)
        ? 'a padded INTEGER'
        : undefined;
    case derTag.bitString:
      if (content.length === 0 || first > 7 || (content.length === 1 && first > 0))
        return 'a malformed BIT STRING';
      return (last & ((1 << first) - 1)) === 0 ? undefined : 'a BIT STRING with padding set';
    case derTag.null:
      return content.length === 0 ? undefined : 'a NULL with content';
    case derTag.oid:
      return isOid(content) ? undefined : 'a malformed OBJECT IDENTIFIER';
    default:
      return undefined;
  }
};

/** Every arc ends, and none begins with a padding septet. */
const isOid = (content: Uint8Array): boolean =>
  content.length > 0 &&
  (content.at(-1) ?? 0) < 0x80 &&
  content.every((octet, index) => octet !== 0x80 || (content[index - 1] ?? 0) >= 0x80);

/** The dotted form; undefined if the element is no OBJECT IDENTIFIER. */
export const readOid = (node: DerNode | undefined): string | undefined => {
  if (node?.tag !== derTag.oid) return undefined;
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of node.content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length === 0) {
      const top = arc < 40n ? 0n : arc < 80n ? 1n : 2n;
      arcs.push(top, arc - top * 40n);
    } else arcs.push(arc);
    arc = 0n;
  }
  return arcs.join('.');
};

/** The octets of a BIT STRING without unused bits (keys and signatures); undefined if it is something else. */
export const readBitString = (node: DerNode | undefined): Uint8Array | undefined =>
  node?.tag === derTag.bitString && node.content[0] === 0 ? node.content.subarray(1) : undefined;
