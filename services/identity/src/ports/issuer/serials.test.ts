import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Serials } from './serials.ts';

describe('serials', () => {
  it('are positive, of 16 bytes, and never the same, over several draws of the pool', () => {
    const serials = new Serials();
    const drawn = Array.from({ length: 2_000 }, () => serials.draw());
    assert.equal(new Set(drawn.map((serial) => serial.toHex())).size, 2_000);
    for (const serial of drawn) {
      assert.equal(serial.length, 16);
      assert.equal((serial[0] ?? 0) >> 6, 1, serial.toHex());
    }
  });

  it('are random in all other bits', () => {
    const serials = new Serials();
    const ones = new Uint8Array(16);
    const zeros = new Uint8Array(16);
    for (let count = 0; count < 200; count += 1) {
      for (const [index, byte] of serials.draw().entries()) {
        ones[index] = (ones[index] ?? 0) | byte;
        zeros[index] = (zeros[index] ?? 0) | ~byte;
      }
    }
    // That a bit stays the same two hundred times happens once in 10^58 tests.
    assert.equal(ones.toHex(), `7f${'ff'.repeat(15)}`);
    assert.equal(zeros.toHex(), `bf${'ff'.repeat(15)}`);
  });
});
