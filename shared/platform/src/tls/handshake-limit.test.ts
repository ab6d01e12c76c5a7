import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandshakeLimit } from './handshake-limit.ts';

const aLimit = () => new HandshakeLimit({ start: 64, least: 8, most: 256, targetMs: 200 });

/** As many handshakes end as run at once, each after so long; `times` over. */
const rounds = (limit: HandshakeLimit, durationMs: number, times: number): void => {
  for (let round = 0; round < times; round += 1) {
    for (let left = limit.atOnce; left > 0; left -= 1) limit.done(durationMs);
  }
};

test('fewer handshakes run at once where they take too long', () => {
  const limit = aLimit();
  rounds(limit, 300, 1);
  assert.equal(limit.atOnce, 42);
  rounds(limit, 2_000, 1);
  assert.equal(limit.atOnce, 21, 'never less than half at a time');
  rounds(limit, 2_000, 20);
  assert.equal(limit.atOnce, 8);
});

test('more run at once where they are quick, up to a bound', () => {
  const limit = aLimit();
  rounds(limit, 20, 1);
  assert.equal(limit.atOnce, 80);
  rounds(limit, 20, 20);
  assert.equal(limit.atOnce, 256);
});

test('between half the target and the target nothing changes', () => {
  const limit = aLimit();
  rounds(limit, 150, 10);
  assert.equal(limit.atOnce, 64);
});

test('on a machine where each handshake costs 10 ms, as many run as end in the target', () => {
  const limit = aLimit();
  for (let round = 0; round < 30; round += 1) rounds(limit, limit.atOnce * 10, 1);
  assert.ok(limit.atOnce * 10 <= 200 && limit.atOnce * 10 > 100, `${limit.atOnce} at once`);
});
