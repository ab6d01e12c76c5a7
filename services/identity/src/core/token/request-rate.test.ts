import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RequestRate } from './request-rate.ts';

describe('the rate of requests', () => {
  it('lets a burst pass at once, then one after the other', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 3 });
    assert.deepEqual([rate.take(0), rate.take(0), rate.take(0)], [0, 0, 0]);
    assert.equal(rate.take(0), 100);
    assert.equal(rate.take(60), 40);
    assert.equal(rate.take(100), 0);
    assert.equal(rate.take(100), 100);
  });

  it('earns no more than its burst in a quiet time', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 2 });
    rate.take(0);
    assert.deepEqual([rate.take(60_000), rate.take(60_000)], [0, 0]);
    assert.equal(rate.take(60_000), 100);
  });

  it('stands still while the server wants to be left alone', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 2 });
    rate.pause(2_000, 0);
    assert.equal(rate.take(500), 1_500);
    rate.pause(1_000, 500);
    assert.equal(rate.take(500), 1_500, 'a shorter wish takes nothing back');
    assert.equal(rate.take(2_000), 0);
  });

  it('does not stand still for longer than half a minute', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 2 });
    rate.pause(86_400_000, 0);
    assert.equal(rate.pausedUntil, 30_000);
  });

  it('never lets more pass in any time than burst and rate allow, and wastes nothing when it is asked often', () => {
    const limits = fc.record({
      perSecond: fc.integer({ min: 1, max: 500 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(limits, fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }), (limit, gaps) => {
        const rate = new RequestRate(limit);
        const passed: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const waitMs = rate.take(now);
          if (waitMs > 0) {
            now += waitMs + 1e-6;
            assert.equal(rate.take(now), 0, 'it says truly when to come again');
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
