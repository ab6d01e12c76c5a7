import assert from 'node:assert/strict';
import test from 'node:test';
import { aClock } from '../../testing/a-clock.ts';
import { Bursts } from './bursts.ts';

const burst = (take: (items: readonly string[]) => void) => {
  const clock = aClock();
  return { clock, bursts: new Bursts<string>({ everyMs: 20, clock, take }) };
};

test('the first change is taken at once, what follows within 20 ms together and in order', () => {
  const taken: (readonly string[])[] = [];
  const { clock, bursts } = burst((items) => taken.push(items));
  bursts.add(['a', 'b']);
  assert.deepEqual(taken, [['a', 'b']]);
  clock.pass(5);
  bursts.add(['c']);
  clock.pass(10);
  bursts.add(['d', 'e']);
  assert.equal(taken.length, 1);
  clock.pass(5);
  assert.deepEqual(taken, [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
  clock.pass(20);
  assert.equal(taken.length, 2);
  bursts.add(['f']);
  assert.deepEqual(taken.at(-1), ['f']);
});

test('the pause is counted from the end of the work, however long it took', () => {
  const taken: (readonly string[])[] = [];
  const { clock, bursts } = burst((items) => {
    taken.push(items);
    clock.pass(100);
  });
  bursts.add(['slow']);
  bursts.add(['next']);
  clock.pass(19);
  assert.equal(taken.length, 1);
  clock.pass(1);
  assert.deepEqual(taken, [['slow'], ['next']]);
});

test('whatever taking throws reaches the owner, also out of a timer', async () => {
  let calls = 0;
  const { clock, bursts } = burst(() => {
    calls += 1;
    if (calls === 2) throw new Error('broken');
  });
  bursts.add(['a']);
  bursts.add(['b']);
  clock.pass(20);
  await assert.rejects(bursts.failed, { message: 'broken' });
});

test('after closing nothing is taken any more', () => {
  const taken: (readonly string[])[] = [];
  const { clock, bursts } = burst((items) => taken.push(items));
  bursts.add(['a']);
  bursts.add(['b']);
  bursts.close();
  clock.pass(1_000);
  assert.deepEqual(taken, [['a']]);
});

test('who cannot wait has everything taken at once, and nothing twice', () => {
  const taken: (readonly string[])[] = [];
  const { clock, bursts } = burst((items) => taken.push(items));
  bursts.settle();
  bursts.add(['a']);
  bursts.add(['b']);
  bursts.settle();
  bursts.settle();
  assert.deepEqual(taken, [['a'], ['b']]);
  clock.pass(1_000);
  assert.equal(taken.length, 2);
});
