import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lifeLeft, phaseOf, type Told, tellNow, warningShare } from './expiry.ts';

const hour = 3_600_000;
const life = { notBefore: 1_000 * hour, notAfter: 1_100 * hour };

test('a life is warned of from a fifth left, at each share that comes', () => {
  const cases: readonly (readonly [number, number | undefined])[] = [
    [0, undefined],
    [79.9, undefined],
    [80, 0.2],
    [89, 0.2],
    [90, 0.1],
    [95, 0.05],
    [99, 0.01],
    [99.9, 0.01],
    [100, 0],
    [1_000, 0],
  ];
  assert.equal(cases.length, 10);
  for (const [hours, share] of cases) {
    assert.equal(warningShare(life, life.notBefore + hours * hour), share, `${hours}`);
  }
});

test('what is left is between 1 and 0, also before and after', () => {
  assert.deepEqual(
    [-5, 0, 50, 100, 200].map((hours) => lifeLeft(life, life.notBefore + hours * hour)),
    [1, 1, 0.5, 0, 0],
  );
  assert.equal(lifeLeft({ notBefore: 5, notAfter: 5 }, 5), 0);
});

test('a life has not begun, holds, or is over: its first moment counts, its last does not', () => {
  const { notBefore, notAfter } = life;
  assert.deepEqual(
    [notBefore - 1, notBefore, notAfter - 1, notAfter].map((now) => phaseOf(life, now)),
    ['not yet valid', 'valid', 'valid', 'expired'],
  );
});

test('what was told is told again when the wall clock was set back to a larger share', () => {
  assert.deepEqual(tellNow({ share: 0, at: 0 }, 0.1, 1), { share: 0.1, at: 1 });
});

test('it is told at once when a share comes, and else once a day', () => {
  const long = { notBefore: 0, notAfter: 1_000 * 24 * hour };
  let told: Told | undefined;
  const days: number[] = [];
  for (let hours = 0; hours <= 1_000 * 24 + 48; hours += 1) {
    const now = tellNow(told, warningShare(long, hours * hour), hours * hour);
    if (now !== undefined) days.push(hours / 24);
    told = now ?? told;
  }
  assert.equal(days[0], 800);
  assert.deepEqual(
    days.filter((day) => !Number.isInteger(day)),
    [],
  );
  // One a day from the eight hundredth on; shares that come on a day's beat are told with it.
  assert.equal(days.length, 203);
  assert.equal(tellNow({ share: 0.2, at: 0 }, 0.1, 1)?.share, 0.1);
  assert.equal(tellNow({ share: 0.2, at: 0 }, 0.2, 23 * hour), undefined);
  assert.equal(tellNow(undefined, undefined, 0), undefined);
});
