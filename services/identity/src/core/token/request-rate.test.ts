import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestRate } from './request-rate.ts';

describe('the rate of requests', () => {
  it('stands still while the server wants to be left alone', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 2 });
    rate.pause(2_000, 0);
    assert.equal(rate.take(500), 1_500);
    rate.pause(1_000, 500);
    assert.equal(rate.take(500), 1_500, 'a shorter wish takes nothing back');
    assert.deepEqual([rate.take(2_000), rate.take(2_000), rate.take(2_000)], [0, 0, 100]);
  });

  it('does not stand still for longer than half a minute', () => {
    const rate = new RequestRate({ perSecond: 10, burst: 2 });
    rate.pause(86_400_000, 0);
    assert.equal(rate.pausedUntil, 30_000);
  });
});
