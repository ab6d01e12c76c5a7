import assert from 'node:assert/strict';
import { it } from 'node:test';
import { aClock } from '@gatehouse/testing/a-clock';
import { Slices } from './slices.ts';

/** Work of so many pieces, each of which takes a millisecond. */
const working = (pieces: number) => {
  const clock = aClock();
  const slices: number[] = [];
  const left = { pieces };
  const work = (isOver: () => boolean): void => {
    let done = 0;
    do {
      if (left.pieces === 0) break;
      left.pieces -= 1;
      done += 1;
      clock.work(1);
    } while (!isOver());
    slices.push(done);
  };
  return { clock, slices, left, sliced: new Slices({ clock, work, isBehind: () => left.pieces > 0 }) };
};

it('works for 5 ms at once, and for 5 ms in each turn of the event loop after it', () => {
  const { clock, slices, sliced } = working(12);
  sliced.wake();
  assert.deepEqual(slices, [5]);
  clock.turn();
  assert.deepEqual(slices, [5, 5]);
  clock.turn();
  assert.deepEqual(slices, [5, 5, 2]);
  clock.turn();
  assert.deepEqual(slices, [5, 5, 2]);
});

it('what comes in a turn that has had its slice waits for the next, however little it is', () => {
  const { clock, slices, left, sliced } = working(1);
  sliced.wake();
  left.pieces = 1;
  sliced.wake();
  sliced.wake();
  assert.deepEqual(slices, [1]);
  clock.turn();
  assert.deepEqual(slices, [1, 1]);
  clock.turn();
  left.pieces = 1;
  sliced.wake();
  assert.deepEqual(slices, [1, 1, 1]);
});

it('work that brings more work does not begin a slice within its own', () => {
  const clock = aClock();
  const depths: number[] = [];
  let [depth, left] = [0, 2];
  const sliced: Slices = new Slices({
    clock,
    work: () => {
      depth += 1;
      depths.push(depth);
      left -= 1;
      if (left > 0) sliced.wake();
      depth -= 1;
    },
    isBehind: () => left > 0,
  });
  sliced.wake();
  assert.deepEqual(depths, [1]);
  clock.turn();
  assert.deepEqual(depths, [1, 1]);
});

it('what the work throws is told to anyone who owns it', async () => {
  const sliced = new Slices({
    clock: aClock(),
    work: () => {
      throw new RangeError('broken');
    },
    isBehind: () => true,
  });
  sliced.wake();
  await assert.rejects(sliced.failed, RangeError);
});
