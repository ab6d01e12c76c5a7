import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validityOf } from './issuance-profile.ts';

const nowMs = 1_780_000_000_500;
const now = 1_780_000_000;
const day = 86_400;
const profile = { lifetimeMs: day * 1000, clockSkewMs: 20_000 };

describe('the validity of a leaf', () => {
  it('is its lifetime with the clock skew at both ends', () => {
    assert.deepEqual(validityOf(profile, nowMs, { chainBegins: now - day, chainEnds: now + 2 * day }), {
      notBefore: now - 20,
      notAfter: now + day + 20,
    });
  });

  it('ends with the issuer chain at the latest', () => {
    const chain = { chainBegins: now - day, chainEnds: now + 36_000 };
    assert.equal(validityOf(profile, nowMs, chain).notAfter, now + 36_000);
  });

  it('begins with the issuer chain at the earliest', () => {
    const chain = { chainBegins: now - 5, chainEnds: now + 2 * day };
    assert.equal(validityOf(profile, nowMs, chain).notBefore, now - 5);
  });
});
