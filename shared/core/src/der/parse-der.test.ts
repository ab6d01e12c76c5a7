import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  derBitString,
  derBoolean,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  writeDer,
} from './der.ts';
import { type DerNode, parseDer, readBitString, readOid } from './parse-der.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const parse = (input: Uint8Array): DerNode => {
  const read = parseDer(input);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
};

test('what is not DER is refused with the place and the reason', () => {
  const cases: [string, RegExp][] = [
    ['', /breaks off at byte 0/],
    ['30', /breaks off/],
    ['3082', /breaks off at byte 2/],
    ['308201', /breaks off at byte 3/],
    ['3003020100ff', /1 bytes follow/],
    ['30800201000000', /indefinite length at byte 1/],
    ['3081030201ff', /padded length/],
    ['30820080', /padded length/],
    ['3085000000000100', /length of 5 octets/],
    ['30ff00', /length of 127 octets/],
    ['1f8101', /tag number above 30/],
    ['30060204010203', /breaks off/],
    ['300302020102', /breaks off at byte 5/],
    ['02020001', /padded INTEGER/],
    ['0202ffff', /padded INTEGER/],
    ['0200', /empty INTEGER/],
    ['010101', /malformed BOOLEAN/],
    ['0100', /malformed BOOLEAN/],
    ['0300', /malformed BIT STRING/],
    ['030108', /malformed BIT STRING/],
    ['030101', /malformed BIT STRING/],
    ['03020101', /BIT STRING with padding set/],
    ['050100', /NULL with content/],
    ['0600', /malformed OBJECT IDENTIFIER/],
    ['060180', /malformed OBJECT IDENTIFIER/],
    ['06022a80', /malformed OBJECT IDENTIFIER/],
    ['06032a8001', /malformed OBJECT IDENTIFIER/],
    ['24020400', /primitive type in constructed form/],
    ['1000', /SEQUENCE or SET in primitive form/],
    ['30020000', /end-of-contents marker at byte 2/],
    ['3106020102020101', /unsorted SET/],
  ];
  assert.equal(cases.length, 31);
  for (const [input, reason] of cases) {
    const read = parseDer(bytes(input), 'the request');
    assert.ok(!read.ok, input);
    assert.match(read.problems[0]?.found ?? '', reason, input);
    assert.equal(read.problems[0]?.field, 'the request');
  }
});

test('nesting is read to sixteen levels and refused beyond', () => {
  const nest = (levels: number): Uint8Array => {
    let inner = derNull();
    for (let level = 0; level < levels; level += 1) inner = derSequence(inner);
    return inner;
  };
  assert.ok(parseDer(nest(16)).ok);
  assert.ok(!parseDer(nest(17)).ok);
  assert.ok(!parseDer(nest(3_000)).ok);
});

test('elements come with their whole bytes, content and children', () => {
  const whole = derSequence(derOid('2.5.29.17'), derBitString(Uint8Array.of(1, 2)));
  const node = parse(whole);
  assert.deepEqual(node.bytes, whole);
  assert.equal(node.children.length, 2);
  assert.equal(readOid(node.children[0]), '2.5.29.17');
  assert.deepEqual(readBitString(node.children[1]), Uint8Array.of(1, 2));
  assert.equal(readOid(node.children[1]), undefined);
  assert.equal(readBitString(node.children[0]), undefined);
  assert.equal(readBitString(undefined), undefined);
});

const element: fc.Arbitrary<Uint8Array> = fc.letrec<{ element: Uint8Array }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 5 },
    fc.bigInt({ min: -(1n << 70n), max: 1n << 70n }).map(derInteger),
    fc.boolean().map(derBoolean),
    fc.uint8Array({ maxLength: 300 }).map((octets) => derOctetString(octets)),
    fc.uint8Array().map((octets) => derBitString(octets)),
    fc
      .tuple(fc.constantFrom(0, 1, 2), fc.nat(39), fc.array(fc.nat()))
      .map(([first, second, rest]) => derOid([first, second, ...rest].join('.'))),
    fc.array(tie('element'), { maxLength: 4 }).map((parts) => derSequence(...parts)),
    fc.array(tie('element'), { maxLength: 4 }).map((parts) => derSet(...parts)),
  ),
})).element;

const rewrite = (node: DerNode): Uint8Array =>
  node.children.length > 0
    ? writeDer(node.tag, ...node.children.map(rewrite))
    : writeDer(node.tag, node.content);

test('whatever the writer writes is read, and writing it again gives the same bytes', () => {
  fc.assert(fc.property(element, (written) => assert.deepEqual(rewrite(parse(written)), written)));
});

test('there is one encoding: changed bytes are refused or mean something that is written just so', () => {
  fc.assert(
    fc.property(element, fc.nat(), fc.nat(255), (written, at, octet) => {
      const changed = Uint8Array.from(written);
      changed[at % changed.length] = octet;
      const read = parseDer(changed);
      if (read.ok) assert.deepEqual(rewrite(read.value), changed);
    }),
  );
});

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (input) => void parseDer(input)),
    {
      numRuns: 2_000,
    },
  );
});
