import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('lets a burst pass at once, then one after the other', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 });
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 0]);
    assert.equal(bucket.take(0), 100);
    assert.equal(bucket.take(60), 40);
    assert.equal(bucket.take(100), 0);
    assert.equal(bucket.take(100), 100);
  });

  it('earns no more than its burst in a quiet time', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 });
    bucket.take(0);
    assert.deepEqual([bucket.take(60_000), bucket.take(60_000)], [0, 0]);
    assert.equal(bucket.take(60_000), 100);
  });

  it('says what it would answer without taking anything', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 });
    assert.deepEqual([bucket.waitMs(0), bucket.waitMs(0), bucket.take(0)], [0, 0, 0]);
    assert.deepEqual([bucket.waitMs(40), bucket.waitMs(40), bucket.take(100)], [60, 60, 0]);
  });

  it('takes back what was taken in vain, and holds no more than its burst', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 1_000]);
    bucket.giveBack();
    assert.deepEqual([bucket.take(0), bucket.take(0)], [0, 1_000]);
    for (let times = 0; times < 9; times += 1) bucket.giveBack();
    assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 1_000]);
  });

  it('never lets more pass in any time than burst and rate allow, and wastes nothing when it is asked often', () => {
    const limits = fc.record({
      perSecond: fc.integer({ min: 1, max: 500 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(limits, fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }), (limit, gaps) => {
        const bucket = new TokenBucket(limit);
        const passed: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const waitMs = bucket.take(now);
          if (waitMs > 0) {
            now += waitMs + 1e-6;
            assert.equal(bucket.take(now), 0, 'it says truly when to come again');
          }
          passed.push(now);
        }
        for (const [index, from] of passed.entries()) {
          for (const [more, until] of passed.slice(index).entries()) {
            const allowed = limit.burst + ((until - from) * limit.perSecond) / 1_000;
            assert.ok(more + 1 <= allowed + 1e-3, `${more + 1} in ${until - from} ms`);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
