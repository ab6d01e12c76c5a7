import { contextTag, derTag, joinBytes } from '@gatehouse/core/der/der';
import { childrenOf, type DerTree, octetsOf, writeTree } from './der-tree.ts';
import type { Dice } from './dice.ts';

/** One way to write an element otherwise. Undefined where it does not apply to this element. */
export type EncodingMutation = (element: DerTree, dice: Dice) => DerTree | undefined;

const universal = (element: DerTree): number | undefined =>
  element.identifier.length === 1 && (element.identifier[0] ?? 0) < 0x80 ? element.identifier[0] : undefined;

const isConstructed = ({ identifier }: DerTree): boolean => ((identifier[0] ?? 0) & 0x20) !== 0;

const contentOf = (element: DerTree): Uint8Array => {
  const inside = element.body instanceof Uint8Array ? element.body : joinBytes(element.body.map(writeTree));
  return element.prefix === undefined ? inside : joinBytes([element.prefix, inside]);
};

/** The same element with other content, as plain bytes. */
const holding = ({ identifier }: DerTree, content: Uint8Array): DerTree => ({ identifier, body: content });

/** Longer than need be, with leading zeros (X.690 §8.1.3.5 allows it in BER, §10.1 forbids it in DER). */
const padded =
  (octets: number) =>
  (length: number): number[] => {
    const digits = octetsOf(length);
    const all = Math.max(octets, digits.length);
    return [0x80 | all, ...new Array(all - digits.length).fill(0), ...digits];
  };

const endOfContents = Uint8Array.of(0, 0);

const inside = (
  element: DerTree,
  change: (children: readonly DerTree[]) => DerTree[],
): DerTree | undefined =>
  element.body instanceof Uint8Array ? undefined : { ...element, body: change(element.body) };

/** What BER allows, what it forbids, and plain damage; each is told by its name in reports. */
export const encodingMutations = {
  'a length in a longer form': (element, dice) => ({
    ...element,
    lengthOctets: padded(dice.pick([1, 2, 3, 4, 5, 8, 126])),
  }),
  'an indefinite length': (element) =>
    isConstructed(element)
      ? { ...element, lengthOctets: () => [0x80], trailer: endOfContents }
      : { ...element, lengthOctets: () => [0x80] },
  'the reserved length 0xff': (element) => ({ ...element, lengthOctets: () => [0xff] }),
  'a length too large': (element, dice) => ({
    ...element,
    lengthOctets: (length) => padded(1)(length + 1 + dice.below(200)),
  }),
  'a length too small': (element, dice) => ({
    ...element,
    lengthOctets: (length) => (length === 0 ? [1] : [Math.max(0, Math.min(127, length) - 1 - dice.below(3))]),
  }),
  'a length of 4 GiB': (element) => ({ ...element, lengthOctets: () => [0x84, 0xff, 0xff, 0xff, 0xff] }),
  'bytes after an element': (element, dice) => ({
    ...element,
    trailer: dice.pick([Uint8Array.of(0), endOfContents, Uint8Array.of(5, 0), dice.bytes(1 + dice.below(8))]),
  }),
  'bytes at the end of the content': (element, dice) =>
    holding(element, joinBytes([contentOf(element), dice.bytes(1 + dice.below(3))])),
  'bytes before the content': (element, dice) =>
    holding(element, joinBytes([dice.bytes(1 + dice.below(3)), contentOf(element)])),
  'no content': (element) => holding(element, new Uint8Array()),
  'content cut off': (element, dice) => {
    const content = contentOf(element);
    return content.length === 0
      ? undefined
      : holding(element, content.subarray(0, dice.below(content.length)));
  },
  'a bit flipped': (element, dice) => {
    const content = contentOf(element);
    if (content.length === 0) return undefined;
    const at = dice.below(content.length);
    return holding(element, content.with(at, (content[at] ?? 0) ^ (1 << dice.below(8))));
  },
  'content of the same length': (element, dice) => holding(element, dice.bytes(contentOf(element).length)),
  'a tag in high form': (element) => {
    const [first = 0] = element.identifier;
    return { ...element, identifier: [first | 0x1f, first & 0x1f] };
  },
  'a high tag number': (element, dice) => {
    const [first = 0] = element.identifier;
    return { ...element, identifier: [first | 0x1f, 0x80 | dice.below(128), dice.below(128)] };
  },
  'another class': (element, dice) => {
    const [first = 0] = element.identifier;
    return { ...element, identifier: [first ^ (0x40 * (1 + dice.below(3)))] };
  },
  'primitive as constructed, or the reverse': (element) => {
    const [first = 0] = element.identifier;
    return { ...element, identifier: [first ^ 0x20] };
  },
  'another tag': (element, dice) => ({ ...element, identifier: [dice.below(256)] }),
  'a string in segments': (element, dice) => {
    if (isConstructed(element)) return undefined;
    const tag = element.identifier[0] ?? 0;
    const content = contentOf(element);
    const cut = dice.below(content.length + 1);
    const part = (bytes: Uint8Array): DerTree => ({ identifier: [tag], body: bytes });
    return {
      identifier: [tag | 0x20],
      body: [part(content.subarray(0, cut)), part(content.subarray(cut))],
    };
  },
  'a padded INTEGER': (element, dice) =>
    universal(element) === derTag.integer
      ? holding(element, joinBytes([new Uint8Array(1 + dice.below(3)), contentOf(element)]))
      : undefined,
  'a negative INTEGER': (element, dice) =>
    universal(element) === derTag.integer
      ? holding(element, joinBytes([Uint8Array.of(dice.pick([0xff, 0x80])), contentOf(element)]))
      : undefined,
  'unused bits': (element, dice) => {
    if (universal(element) !== derTag.bitString) return undefined;
    const content = contentOf(element);
    return content.length === 0 ? undefined : holding(element, content.with(0, 1 + dice.below(255)));
  },
  'unused bits that are zero': (element, dice) => {
    if (universal(element) !== derTag.bitString) return undefined;
    const content = contentOf(element);
    if (content.length === 0) return undefined;
    const unused = 1 + dice.below(7);
    const last = (content.at(-1) ?? 0) & (0xff << unused);
    return holding(element, content.with(0, unused).with(-1, last));
  },
  'a BOOLEAN that is neither': (element, dice) =>
    universal(element) === derTag.boolean ? holding(element, Uint8Array.of(1 + dice.below(254))) : undefined,
  'a padded arc': (element) =>
    universal(element) === derTag.oid
      ? holding(element, joinBytes([Uint8Array.of(0x80), contentOf(element)]))
      : undefined,
  'an arc without end': (element) =>
    universal(element) === derTag.oid
      ? holding(element, joinBytes([contentOf(element), Uint8Array.of(0x81)]))
      : undefined,
  'an element twice': (element, dice) =>
    inside(element, (children) => {
      if (children.length === 0) return [];
      const copied = dice.pick(children);
      const at = dice.below(children.length + 1);
      return [...children.slice(0, at), copied, ...children.slice(at)];
    }),
  'an element less': (element, dice) =>
    inside(element, (children) => {
      const gone = dice.below(children.length);
      return children.filter((_, index) => index !== gone);
    }),
  'elements in another order': (element) => inside(element, (children) => [...children].reverse()),
  'a strange element': (element, dice) =>
    inside(element, (children) => {
      const at = dice.below(children.length + 1);
      const strange: DerTree = dice.pick([
        { identifier: [derTag.null], body: new Uint8Array() },
        { identifier: [0], body: new Uint8Array() },
        { identifier: [derTag.integer], body: Uint8Array.of(0) },
        { identifier: [derTag.sequence], body: [] },
        { identifier: [contextTag(1, 'constructed')], body: [] },
      ]);
      return [...children.slice(0, at), strange, ...children.slice(at)];
    }),
  'one more level': (element, dice) => ({
    identifier: [dice.pick([derTag.sequence, derTag.set, derTag.octetString, contextTag(0, 'constructed')])],
    body: [element],
  }),
  'a level less': (element, dice) => {
    const children = childrenOf(element);
    return children.length === 0 ? undefined : dice.pick(children);
  },
  'nested without end': (element, dice) => {
    const levels = 20 + dice.below(1_000);
    let nested = element;
    for (let level = 0; level < levels; level += 1)
      nested = { identifier: [derTag.sequence], body: [nested] };
    return nested;
  },
} as const satisfies Record<string, EncodingMutation>;

export type EncodingMutationName = keyof typeof encodingMutations;

export const encodingMutationNames = Object.keys(encodingMutations) as EncodingMutationName[];
