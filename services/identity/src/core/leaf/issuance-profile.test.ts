import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validityOf } from './issuance-profile.ts';

const nowMs = 1_780_000_000_500;
const now = 1_780_000_000;
const day = 86_400;
const profile = { lifetimeMs: day * 1000, clockSkewMs: 20_000 };

describe('the validity of a leaf', () => {
  it('is its lifetime with the clock skew at both ends', () => {
    assert.deepEqual(validityOf(profile, nowMs, now + 2 * day), {
      notBefore: now - 20,
      notAfter: now + day + 20,
    });
  });

  it('ends with the issuer chain at the latest', () => {
    assert.equal(validityOf(profile, nowMs, now + 36_000).notAfter, now + 36_000);
  });
});
