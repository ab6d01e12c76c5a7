import { type Parsed, parsed, problem } from '../problem.ts';
import { compareBytes, derTag } from './der.ts';

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
  const read = readElement(bytes, { from: 0, limit: bytes.length, depth: maxDepth });
  if (typeof read === 'string') return problem(name, read, 'send strict DER (X.690)');
  if (read.length < bytes.length) {
    return problem(name, `${bytes.length - read.length} bytes follow the element`, 'send it alone');
  }
  return parsed(read);
};

/** Views are made on demand: reading is the hot path of every certificate, and most elements are only passed by. */
class Element implements DerNode {
  readonly tag: number;
  readonly children: readonly DerNode[];
  readonly #input: Uint8Array;
  readonly #from: number;
  readonly #contentFrom: number;
  readonly #end: number;

  constructor(span: Span, children: readonly DerNode[]) {
    this.tag = span.tag;
    this.children = children;
    this.#input = span.input;
    this.#from = span.from;
    this.#contentFrom = span.contentFrom;
    this.#end = span.end;
  }

  get bytes(): Uint8Array {
    return this.#input.subarray(this.#from, this.#end);
  }

  get content(): Uint8Array {
    return this.#input.subarray(this.#contentFrom, this.#end);
  }

  get length(): number {
    return this.#end - this.#from;
  }
}

/** Where an element lies in the input. */
interface Span {
  readonly tag: number;
  readonly input: Uint8Array;
  readonly from: number;
  readonly contentFrom: number;
  readonly end: number;
}

const none: readonly DerNode[] = Object.freeze([]);

/** The element at `from` of the input up to `limit`, or what is wrong with it. */
const readElement = (
  input: Uint8Array,
  { from, limit, depth }: { readonly from: number; readonly limit: number; readonly depth: number },
): Element | string => {
  if (limit - from < 2) return `it breaks off at byte ${limit}`;
  const tag = input[from] ?? 0;
  const first = input[from + 1] ?? 0;
  if ((tag & 0x1f) === 0x1f) return `a tag number above 30 at byte ${from}`;
  let at = from + 2;
  let length = first;
  if (first === 0x80) return `an indefinite length at byte ${from + 1}`;
  if (first > 0x80) {
    const octets = first & 0x7f;
    if (octets > 4) return `a length of ${octets} octets at byte ${from + 1}`;
    if (at + octets > limit) return `it breaks off at byte ${limit}`;
    length = 0;
    for (const end = at + octets; at < end; at += 1) length = length * 256 + (input[at] ?? 0);
    if (length < 0x80 || length < 256 ** (octets - 1)) return `a padded length at byte ${from + 1}`;
  }
  // A child may not reach beyond its parent: `limit` is the parent's end.
  if (length > limit - at) return `it breaks off at byte ${limit}`;
  const span: Span = { tag, input, from, contentFrom: at, end: at + length };
  const flaw = flawOf(span);
  if (flaw !== undefined) return `${flaw} at byte ${from}`;
  if ((tag & 0x20) === 0) return new Element(span, none);
  if (depth === 0) return `more than ${maxDepth} levels at byte ${from}`;
  const children: Element[] = [];
  while (at < span.end) {
    const child = readElement(input, { from: at, limit: span.end, depth: depth - 1 });
    if (typeof child === 'string') return child;
    children.push(child);
    at += child.length;
  }
  if (tag === derTag.set && children.some((child, index) => isBefore(child, children[index - 1]))) {
    return `an unsorted SET at byte ${from}`;
  }
  return new Element(span, children);
};

const isBefore = (child: DerNode, previous: DerNode | undefined): boolean =>
  previous !== undefined && compareBytes(child.bytes, previous.bytes) < 0;

/** What DER forbids in the content of universal types. */
const flawOf = ({ tag, input, contentFrom, end }: Span): string | undefined => {
  if (tag === derTag.sequence || tag === derTag.set || tag >= 0x40) return undefined;
  if ((tag & 0x20) !== 0) return 'a primitive type in constructed form';
  const length = end - contentFrom;
  const first = length > 0 ? (input[contentFrom] ?? 0) : 0;
  switch (tag) {
    case 0x00:
      return 'an end-of-contents marker';
    case 0x10:
    case 0x11:
      return 'a SEQUENCE or SET in primitive form';
    case derTag.boolean:
      return length === 1 && (first === 0 || first === 0xff) ? undefined : 'a malformed BOOLEAN';
    case derTag.integer: {
      if (length === 0) return 'an empty INTEGER';
      const second = input[contentFrom + 1] ?? 0;
      return length > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)
        ? 'a padded INTEGER'
        : undefined;
    }
    case derTag.bitString: {
      if (length === 0 || first > 7 || (length === 1 && first > 0)) return 'a malformed BIT STRING';
      const last = input[end - 1] ?? 0;
      return length === 1 || (last & ((1 << first) - 1)) === 0 ? undefined : 'a BIT STRING with padding set';
    }
    case derTag.null:
      return length === 0 ? undefined : 'a NULL with content';
    case derTag.oid:
      return isOid(input, contentFrom, end) ? undefined : 'a malformed OBJECT IDENTIFIER';
    default:
      return undefined;
  }
};

/** Every arc ends, and none begins with a padding septet. */
const isOid = (input: Uint8Array, from: number, end: number): boolean => {
  if (end === from || (input[end - 1] ?? 0) >= 0x80) return false;
  for (let at = from; at < end; at += 1) {
    if (input[at] === 0x80 && (at === from || (input[at - 1] ?? 0) < 0x80)) return false;
  }
  return true;
};

/** The dotted form; undefined if the element is not an OBJECT IDENTIFIER. */
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
