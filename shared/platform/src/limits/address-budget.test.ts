import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBudget } from './address-budget.ts';

const aBudget = (more: { readonly maxAddresses?: number } = {}) => {
  const clock = { ms: 0 };
  const budget = new AddressBudget({
    burst: { address: 3, all: 5 },
    perSecond: { address: 1, all: 2 },
    maxAddresses: 10,
    now: () => clock.ms,
    ...more,
  });
  const takes = (address: string, times: number): number =>
    Array.from({ length: times }, () => budget.take(address)).filter((taken) => taken !== undefined).length;
  return { clock, budget, takes };
};

test('an address has its burst, then so many a second', () => {
  const { clock, takes } = aBudget();
  assert.equal(takes('a', 9), 3);
  clock.ms = 999;
  assert.equal(takes('a', 9), 0);
  clock.ms = 2_000;
  assert.equal(takes('a', 9), 2);
});

test('one address does not use up what another has, but all together have a bound too', () => {
  const { takes } = aBudget();
  assert.deepEqual([takes('a', 9), takes('b', 9), takes('c', 9)], [3, 2, 0]);
});

test('an attempt that succeeded costs nothing, and giving back makes no more than the burst', () => {
  const { clock, budget, takes } = aBudget();
  for (let attempt = 0; attempt < 100; attempt += 1) budget.take('a')?.();
  const giveBack = budget.take('a');
  clock.ms = 60_000;
  giveBack?.();
  assert.equal(takes('a', 9), 3);
});

test('addresses that were not heard of for long are forgotten', () => {
  const { takes } = aBudget({ maxAddresses: 1 });
  assert.deepEqual([takes('a', 3), takes('b', 1), takes('a', 3)], [3, 1, 1]);
});
