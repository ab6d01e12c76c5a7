import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FairQueue } from './fair-queue.ts';

/** Takes everything, each item at its cost, and tells in which order. */
const drain = (queue: FairQueue<string>, costOf: (item: string) => number = () => 1): string => {
  const order: string[] = [];
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    order.push(next.item);
    queue.charge(next.tenant, costOf(next.item));
  }
  return order.join(' ');
};

const filled = (quantum: number, items: readonly string[]): FairQueue<string> => {
  const queue = new FairQueue<string>(quantum);
  for (const item of items) queue.add(item[0] ?? '', item);
  return queue;
};

it('tenants take turns, anyone who came first', () => {
  const queue = filled(1, ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']);
  assert.equal(queue.size, 6);
  assert.equal(drain(queue), 'a1 b1 c1 a2 c2 a3');
  assert.equal(queue.size, 0);
});

it('a turn is worth a quantum of work, not an item', () => {
  const cost = (item: string): number => (item.startsWith('a') ? 1 : 3);
  assert.equal(drain(filled(3, ['a1', 'a2', 'a3', 'a4', 'b1', 'b2']), cost), 'a1 a2 a3 b1 a4 b2');
});

it('anyone who cost too much lets others go first until it is paid off', () => {
  const cost = (item: string): number => (item.startsWith('a') ? 4 : 1);
  const queue = filled(1, ['a1', 'a2', 'b1', 'b2', 'b3', 'b4', 'b5']);
  assert.equal(drain(queue, cost), 'a1 b1 b2 b3 b4 a2 b5');
});

it('who has a debt does not lose it by waiting for nothing in between', () => {
  const queue = filled(1, ['a1', 'b1', 'b2', 'b3', 'b4', 'b5']);
  const first = queue.next();
  assert.equal(first?.item, 'a1');
  queue.charge('a', 4);
  queue.add('a', 'a2');
  assert.equal(drain(queue), 'b1 b2 b3 b4 a2 b5');
});

it('a debt outlives a time in which nothing waits, and such a time pays off a quantum of it', () => {
  const queue = filled(1, ['a1']);
  assert.equal(
    drain(queue, () => 3),
    'a1',
  );
  for (const item of ['a2', 'b1']) queue.add(item[0] ?? '', item);
  assert.equal(drain(queue), 'b1 a2');
  queue.add('a', 'a3');
  queue.add('b', 'b2');
  assert.equal(drain(queue), 'a3 b2');
});

it('tells when only tenants wait that must let more than a round pass', () => {
  const queue = filled(2, ['a1', 'a2']);
  assert.equal(queue.isInDebt, false);
  queue.charge('a', 3);
  assert.equal(queue.isInDebt, true);
  queue.add('b', 'b1');
  assert.equal(queue.isInDebt, false);
  queue.remove('b', 'b1');
  assert.equal(drain(queue), 'a1 a2');
  assert.equal(queue.isInDebt, false);
});

it('an item that is added again keeps its place', () => {
  assert.equal(drain(filled(1, ['a1', 'a2', 'a1', 'b1'])), 'a1 b1 a2');
});

it('an item waits once, and not any more once it is removed', () => {
  const queue = filled(1, ['a1', 'a1', 'a2', 'b1']);
  queue.remove('b', 'b1');
  queue.remove('b', 'b1');
  queue.remove('c', 'c1');
  assert.equal(queue.size, 2);
  assert.equal(drain(queue), 'a1 a2');
});
