import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  contextTag,
  derBitString,
  derBoolean,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  derTime,
  writeDer,
} from './der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('elements are written as X.690 gives them', () => {
  const cases: [Uint8Array, string][] = [
    [derInteger(0), '020100'],
    [derInteger(127), '02017f'],
    [derInteger(128), '02020080'],
    [derInteger(256n), '02020100'],
    [derInteger(-1), '0201ff'],
    [derInteger(-128), '020180'],
    [derInteger(-129), '0202ff7f'],
    [derInteger(Uint8Array.of(0, 0, 0x80, 1)), '0203008001'],
    [derInteger(Uint8Array.of(0, 0)), '020100'],
    [derOid('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    [derOid('2.5.29.17'), '0603551d11'],
    [derOid('2.999.3'), '0603883703'],
    [derBoolean(true), '0101ff'],
    [derNull(), '0500'],
    [derBitString(Uint8Array.of(0x80), 7), '03020780'],
    [derOctetString(derNull(), derNull()), '040405000500'],
    [derText(derTag.utf8String, 'é'), '0c02c3a9'],
    [derSequence(derInteger(1), derSequence()), '30050201013000'],
    [derSet(derInteger(2), derInteger(1)), '3106020101020102'],
    [writeDer(contextTag(3, 'constructed'), derNull()), 'a3020500'],
    [writeDer(contextTag(2, 'primitive'), Uint8Array.of(1)), '820101'],
  ];
  assert.equal(cases.length, 21);
  for (const [written, expected] of cases) assert.equal(hex(written), expected);
});

test('lengths take the fewest octets', () => {
  const cases = [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_536, '0483010000'],
  ] as const;
  for (const [length, head] of cases) {
    assert.equal(hex(derOctetString(new Uint8Array(length)).subarray(0, head.length / 2)), head);
  }
});

test('a time is UTCTime until 2049 and GeneralizedTime after, at every second that Date knows', () => {
  assert.equal(Buffer.from(derTime(0)).toString('latin1'), '\x17\x0d700101000000Z');
  assert.equal(
    Buffer.from(derTime(Date.UTC(2050, 0, 1) / 1_000)).toString('latin1'),
    '\x18\x0f20500101000000Z',
  );
  assert.equal(
    Buffer.from(derTime(Date.UTC(2049, 11, 31, 23, 59, 59) / 1_000)).toString('latin1'),
    '\x17\x0d491231235959Z',
  );
  fc.assert(
    fc.property(fc.integer({ min: -631_152_000, max: 253_402_300_799 }), (seconds) => {
      const digits = new Date(seconds * 1_000).toISOString().replace(/\.000|[-:T]/g, '');
      const written = Buffer.from(derTime(seconds)).toString('latin1').slice(2);
      assert.equal(written, digits >= '2050' ? digits : digits.slice(2));
    }),
  );
});
