import assert from 'node:assert/strict';
import process from 'node:process';
import test from 'node:test';
import { TimeSlices } from './time-slices.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Work that takes a millisecond each; what was done is told by turn. */
const aBurst = (sliceMs: number, atOnce = 100) => {
  let clock = 0;
  const done: string[] = [];
  const slices = new TimeSlices<string>({
    sliceMs,
    atOnce,
    now: () => clock,
    work: (item) => {
      clock += 1;
      done.push(item);
    },
  });
  return { slices, take: () => done.splice(0), spend: (ms: number) => (clock += ms) };
};

test('what comes one at a time is worked on at once', async () => {
  const { slices, take } = aBurst(2);
  for (const item of ['a', 'b', 'c']) {
    assert.equal(slices.enter(item, 'client'), true);
    assert.deepEqual(take(), [item]);
    await turn();
  }
});

test('a burst is spread over turns, none longer than a slice', async () => {
  const { slices, take } = aBurst(3);
  const items = Array.from({ length: 11 }, (_, index) => `${index}`);
  const atOnce = items.filter((item) => slices.enter(item, 'client'));
  assert.deepEqual(atOnce, ['0', '1', '2']);
  assert.equal(slices.waiting, 8);
  const turns = [take()];
  while (slices.waiting > 0) {
    await turn();
    turns.push(take());
  }
  assert.deepEqual(turns, [
    ['0', '1', '2'],
    ['3', '4', '5'],
    ['6', '7', '8'],
    ['9', '10'],
  ]);
});

test('no more than so many begin as they come, since nobody knows yet what they take', async () => {
  const { slices, take } = aBurst(10, 2);
  for (const item of ['a', 'b', 'c', 'd', 'e']) slices.enter(item, 'client');
  assert.deepEqual(take(), ['a', 'b']);
  await turn();
  assert.deepEqual(take(), ['c', 'd', 'e']);
  for (const item of ['f', 'g', 'h']) slices.enter(item, 'client');
  assert.deepEqual(take(), ['f', 'g']);
});

test('others take their turn between two slices', async () => {
  const { slices, take } = aBurst(1);
  for (const item of ['a', 'b', 'c']) slices.enter(item, 'client');
  const seen: string[][] = [take()];
  const others = new Promise<void>((resolve) => {
    const look = (): void => {
      seen.push(take());
      if (seen.length === 3) resolve();
      else setImmediate(look);
    };
    setImmediate(look);
  });
  await others;
  assert.deepEqual(seen, [['a'], ['b'], ['c']]);
});

test('holders take turns, however many items one of them has', async () => {
  const { slices, take } = aBurst(1);
  for (const item of ['m1', 'm2', 'm3', 'm4']) slices.enter(item, 'many');
  slices.enter('o1', 'one');
  slices.enter('t1', 'two');
  assert.deepEqual(take(), ['m1']);
  for (const expected of ['m2', 'o1', 't1', 'm3', 'm4']) {
    await turn();
    assert.deepEqual(take(), [expected]);
  }
});

test('nothing overtakes what waits, although the turn has time again', async () => {
  const { slices, take } = aBurst(1);
  slices.enter('a', 'client');
  slices.enter('b', 'client');
  assert.equal(slices.enter('c', 'other'), false);
  await turn();
  assert.equal(slices.enter('d', 'client'), false);
  await turn();
  await turn();
  assert.deepEqual(take(), ['a', 'b', 'c', 'd']);
});

test('what the work leaves to the next tick counts for its slice', async () => {
  let clock = 0;
  let done = 0;
  const slices = new TimeSlices<number>({
    sliceMs: 5,
    atOnce: 1,
    now: () => clock,
    work: () => {
      done += 1;
      process.nextTick(() => {
        clock += 5;
      });
    },
  });
  slices.enter(0, 'client');
  await Promise.resolve();
  for (let item = 1; item <= 4; item += 1) slices.enter(item, 'client');
  for (let turns = 2; turns <= 5; turns += 1) {
    await turn();
    assert.equal(done, turns);
  }
});

test('what leaves is passed over, and after the end nothing is done', async () => {
  const { slices, take } = aBurst(1);
  for (const item of ['a', 'b', 'c', 'd']) slices.enter(item, 'client');
  slices.leave('b');
  await turn();
  assert.deepEqual(take(), ['a', 'c']);
  slices.close();
  await turn();
  assert.deepEqual([take(), slices.waiting], [[], 0]);
});
