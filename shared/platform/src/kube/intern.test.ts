import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternPool, internValue } from './intern.ts';

test('a pool holds at most two generations of strings', () => {
  const pool = new InternPool<string>(10);
  for (let index = 0; index < 1_000; index += 1)
    assert.equal(pool.share(`text ${index}`, `text ${index}`), `text ${index}`);
  assert.equal(pool.size <= 20, true, `${pool.size} strings held`);
});

test('equal values are held once, and values that differ in anything are not mixed up', () => {
  const ports = () => [{ name: 'http', port: 8080 }];
  assert.equal(internValue(ports()), internValue(ports()));
  const different = [[{ name: 'http', port: 8081 }], [{ name: 'http', port: 8080, hostPort: 1 }], [], {}];
  for (const value of different) assert.deepEqual(internValue(value), value);
});
