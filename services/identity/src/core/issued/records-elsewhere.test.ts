import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anIntent } from '../../../testing/issuance-builder.ts';
import type { IssuanceRecord } from './issuance-record.ts';
import { mergeNewestFirst, RecordsElsewhere } from './records-elsewhere.ts';

const issued = (serial: string, issuedAt: number): IssuanceRecord => ({
  ...anIntent(serial, { issuedAt }),
  leafSha256: undefined,
  suspicious: undefined,
});
const serials = (records: Iterable<IssuanceRecord>): readonly string[] =>
  [...records].map(({ serial }) => serial);

test('what was learned is found newest first, once, however it came', () => {
  const elsewhere = new RecordsElsewhere(10);
  for (const at of [2, 1, 3, 2]) elsewhere.learn(issued(`0${at}`, at));
  assert.deepEqual(serials(elsewhere.find({})), ['03', '02', '01']);
  assert.deepEqual(serials(elsewhere.find({ since: 2 })), ['03', '02']);
});

test('the oldest give way', () => {
  const elsewhere = new RecordsElsewhere(4);
  for (let at = 9; at > 0; at -= 1) elsewhere.learn(issued(`0${at}`, at));
  const kept = serials(elsewhere.find({}));
  assert.deepEqual(kept.slice(0, 4), ['09', '08', '07', '06']);
  assert.ok(kept.length <= 5);
});

test('it is known from when on nothing is missing', () => {
  const elsewhere = new RecordsElsewhere(4);
  assert.deepEqual([elsewhere.oldestAt, elsewhere.forgottenBefore], [undefined, undefined]);
  for (const at of [5, 6, 7]) elsewhere.learn(issued(`0${at}`, at));
  assert.deepEqual([elsewhere.oldestAt, elsewhere.forgottenBefore], [5, undefined]);
  for (const at of [8, 9]) elsewhere.learn(issued(`0${at}`, at));
  assert.equal(elsewhere.forgottenBefore, undefined, 'a fifth more than its size is kept');
  elsewhere.learn(issued('10', 10));
  assert.deepEqual([elsewhere.oldestAt, elsewhere.forgottenBefore], [7, 7]);
  elsewhere.learn(issued('03', 3));
  assert.deepEqual([elsewhere.oldestAt, elsewhere.forgottenBefore], [3, 7]);
});

test('what is learned later is found in its place', () => {
  const elsewhere = new RecordsElsewhere(10);
  elsewhere.learn(issued('01', 1));
  elsewhere.learn(issued('03', 3));
  assert.deepEqual(serials(elsewhere.find({})), ['03', '01']);
  elsewhere.learn(issued('02', 2));
  assert.deepEqual(serials(elsewhere.find({})), ['03', '02', '01']);
});

test('our own and what was learned are one list, and what is in both comes once', () => {
  const own = [issued('06', 6), issued('04', 4), issued('01', 1)];
  const elsewhere = [issued('07', 7), issued('05', 5), issued('04', 4), issued('00', 0)];
  assert.deepEqual(serials(mergeNewestFirst(own, elsewhere)), ['07', '06', '05', '04', '01', '00']);
  assert.deepEqual(serials(mergeNewestFirst([], elsewhere)), ['07', '05', '04', '00']);
  assert.deepEqual(serials(mergeNewestFirst(own, [])), ['06', '04', '01']);
});
