import assert from 'node:assert/strict';
import test from 'node:test';
import { aClock } from '@gatehouse/testing/a-clock';
import { Bursts } from './bursts.ts';

/** Something that is done in bursts: what has come up, and each time it was done. */
const inBursts = (meanwhile: (done: number) => void = () => {}) => {
  const clock = aClock();
  const waiting: string[] = [];
  const done: string[] = [];
  const bursts = new Bursts({
    everyMs: 20,
    clock,
    work: () => {
      done.push(waiting.splice(0).join(' '));
      meanwhile(done.length);
    },
  });
  const comeUp = (what: string): void => {
    waiting.push(what);
    bursts.due();
  };
  return { clock, bursts, done, comeUp };
};

test('the first is done at once, what follows within 20 ms together', () => {
  const { clock, done, comeUp } = inBursts();
  comeUp('a');
  assert.deepEqual(done, ['a']);
  clock.pass(5);
  comeUp('b');
  clock.pass(10);
  comeUp('c');
  assert.deepEqual(done, ['a']);
  clock.pass(5);
  assert.deepEqual(done, ['a', 'b c']);
  clock.pass(20);
  assert.deepEqual(done, ['a', 'b c'], 'nothing is done when nothing has come up');
  comeUp('d');
  assert.deepEqual(done, ['a', 'b c', 'd']);
});

test('the pause is counted from the end of the work, however long it took', () => {
  const slow = inBursts(() => slow.clock.pass(100));
  slow.comeUp('slow');
  slow.comeUp('next');
  slow.clock.pass(19);
  assert.deepEqual(slow.done, ['slow']);
  slow.clock.pass(1);
  assert.deepEqual(slow.done, ['slow', 'next']);
});

test('whatever the work throws reaches the owner, also out of a timer', async () => {
  const { clock, bursts, comeUp } = inBursts((times) => {
    if (times === 2) throw new Error('broken');
  });
  comeUp('a');
  comeUp('b');
  clock.pass(20);
  await assert.rejects(bursts.failed, { message: 'broken' });
});

test('after closing nothing is done any more', () => {
  const { clock, bursts, done, comeUp } = inBursts();
  comeUp('a');
  comeUp('b');
  bursts.close();
  clock.pass(1_000);
  assert.deepEqual(done, ['a']);
});

test('a caller that cannot wait has everything done at once, and nothing twice', () => {
  const { clock, bursts, done, comeUp } = inBursts();
  bursts.settle();
  comeUp('a');
  comeUp('b');
  bursts.settle();
  bursts.settle();
  clock.pass(1_000);
  assert.deepEqual(done, ['a', 'b']);
});
