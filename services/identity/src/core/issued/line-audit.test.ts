import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineAudit } from './line-audit.ts';

test('what was done to numbered lines is found: nothing when nothing was done, else at least what is lost', () => {
  const lines = fc.integer({ min: 1, max: 40 });
  const taken = fc.uniqueArray(fc.nat(40), { maxLength: 5 });
  const spoilt = fc.uniqueArray(fc.nat(40), { maxLength: 5 });
  fc.assert(
    fc.property(lines, taken, spoilt, (count, out, bad) => {
      const audit = new LineAudit(0);
      for (let number = 0; number < count; number += 1) {
        if (out.includes(number)) continue;
        if (bad.includes(number)) audit.unreadable(number);
        else audit.whole(number, number);
      }
      const last = Array.from({ length: count }, (_, number) => number).findLast(
        (number) => !out.includes(number) && !bad.includes(number),
      );
      // After the last good line only what is there to be seen can be counted.
      const lost = Array.from({ length: count }, (_, number) => number).filter(
        (number) =>
          (out.includes(number) && number < (last ?? 0)) || (bad.includes(number) && !out.includes(number)),
      );
      assert.equal(audit.damage.lines, lost.length);
      assert.equal(audit.damage.firstAt === undefined, lost.length === 0);
    }),
  );
});

test('an unfinished end is no damage, and a missing beginning is', () => {
  const audit = new LineAudit();
  audit.lacksBeginning(0);
  audit.whole(7, 0);
  audit.unreadable(100);
  audit.forgetUnreadableEnd();
  assert.deepEqual(audit.damage, { lines: 1, firstAt: 0 });
  assert.equal(audit.next, 8);
});

test('a number that does not grow was put in', () => {
  const audit = new LineAudit(0);
  audit.whole(0, 0);
  audit.whole(1, 10);
  audit.whole(1, 20);
  assert.deepEqual(audit.damage, { lines: 1, firstAt: 20 });
});
