import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternPool } from './intern.ts';

test('a pool holds at most two generations of strings', () => {
  const pool = new InternPool(10);
  for (let index = 0; index < 1_000; index += 1) assert.equal(pool.intern(`text ${index}`), `text ${index}`);
  assert.equal(pool.size <= 20, true, `${pool.size} strings held`);
});
