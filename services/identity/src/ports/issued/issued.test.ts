import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anIntent } from '../../../testing/issuance-builder.ts';
import { Issued, ringSize } from './issued.ts';

const begin = 1_780_000_000_000;
const startedAt = begin + 1_000_000;
const record = (issuedAt: number) => ({
  ...anIntent(issuedAt.toString(16), { issuedAt }),
  leafSha256: undefined,
  suspicious: undefined,
});

test('certificates are known since the start, or since the oldest that was handed on', () => {
  const issued = new Issued(() => {});
  assert.equal(issued.knownSince(startedAt), startedAt);
  issued.add(record(startedAt + 5));
  assert.equal(issued.knownSince(startedAt), startedAt);
  issued.learn(record(begin + 7));
  assert.equal(issued.knownSince(startedAt), begin + 7);
  const restarted = new Issued(() => {});
  restarted.remember(record(begin + 3));
  restarted.learn(record(begin + 7));
  assert.equal(restarted.knownSince(startedAt), begin + 3);
});

test('an old certificate of another replica does not hide that our own were forgotten', () => {
  const issued = new Issued(() => {});
  issued.learn(record(begin));
  for (let count = 0; count < ringSize - 1; count += 1) issued.add(record(startedAt + count));
  assert.equal(issued.knownSince(startedAt), begin);
  for (let count = ringSize - 1; count < ringSize + 3; count += 1) issued.add(record(startedAt + count));
  assert.equal(issued.knownSince(startedAt), startedAt + 3);
});
