import assert from 'node:assert/strict';
import { cpuUsage } from 'node:process';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairPlaces, type FairPlacesOptions } from './fair-places.ts';

/** Places for words; the first letter of a word is its holder. */
const aRoom = (options: Partial<FairPlacesOptions<string>> = {}) => {
  const evicted: string[] = [];
  const places = new FairPlaces<string>({
    max: 4,
    beyondShare: 'refuse',
    evict: (item) => void evicted.push(item),
    ...options,
  });
  const take = (...items: string[]): boolean[] => items.map((item) => places.take(item, item[0] ?? ''));
  return { places, evicted, take };
};

test('one holder may have all the places that nobody else wants', () => {
  const { places, take } = aRoom();
  assert.deepEqual(take('a1', 'a2', 'a3', 'a4'), [true, true, true, true]);
  assert.deepEqual([...places], ['a1', 'a2', 'a3', 'a4']);
});

test('when all are taken, the holder with the most gives up its oldest to one that has less', () => {
  const { places, evicted, take } = aRoom();
  take('b1', 'a1', 'a2', 'a3');
  assert.deepEqual(take('c1'), [true]);
  assert.deepEqual(evicted, ['a1']);
  assert.deepEqual([...places], ['b1', 'a2', 'a3', 'c1']);
});

test('a holder that has the most, or as much as it could gain, is refused', () => {
  const { evicted, take } = aRoom();
  take('a1', 'a2', 'b1', 'b2');
  assert.deepEqual(take('a3', 'b3', 'c1', 'c2'), [false, false, true, false]);
  assert.deepEqual(evicted, ['a1'], 'c could only swap with b forever');
});

test('where the newest are worth more than the oldest, the holder with the most always gives up its oldest', () => {
  const { places, evicted, take } = aRoom({ beyondShare: 'replace-oldest' });
  take('b1', 'a1', 'a2', 'a3', 'a4', 'a5');
  assert.deepEqual(evicted, ['a1', 'a2']);
  take('c1', 'd1', 'e1', 'f1');
  assert.deepEqual(
    [...places],
    ['a5', 'd1', 'e1', 'f1'],
    'among equals the one that has had as much for longest',
  );
});

test('no holder has more than its share, whether or not others come', () => {
  const refusing = aRoom({ maxEach: 2 });
  assert.deepEqual(refusing.take('a1', 'a2', 'a3', 'b1'), [true, true, false, true]);
  const replacing = aRoom({ maxEach: 2, beyondShare: 'replace-oldest' });
  assert.deepEqual(replacing.take('a1', 'a2', 'a3', 'b1'), [true, true, true, true]);
  assert.deepEqual([[...replacing.places], replacing.evicted], [['a2', 'a3', 'b1'], ['a1']]);
});

test('the holders take turns, and each gets its own in order', () => {
  const { places, take } = aRoom({ max: 10 });
  take('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
  assert.equal(places.first, 'a1');
  const order = Array.from({ length: 4 }, () => places.next());
  take('b2', 'a4');
  const rest = Array.from({ length: 5 }, () => places.next());
  assert.deepEqual([...order, ...rest], ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'b2', 'a4', undefined]);
  assert.equal(places.size, 0);
});

test('a place is given back once', () => {
  const { places, take } = aRoom({ max: 1 });
  take('a1');
  assert.deepEqual([places.leave('a1'), places.leave('a1'), places.has('a1')], [true, false, false]);
  assert.deepEqual(take('b1', 'c1'), [true, false]);
});

test('heavy items count for what they weigh', () => {
  const { places, evicted } = aRoom({ max: 10 });
  for (const item of ['a1', 'a2', 'a3', 'a4']) places.take(item, 'a', 2);
  assert.equal(places.take('b1', 'b', 6), false, 'b would have more than a has left');
  assert.deepEqual(evicted, [], 'nobody is evicted in vain');
  assert.equal(places.take('b1', 'b', 4), true);
  assert.deepEqual([...places], ['a2', 'a3', 'a4', 'b1']);
  assert.equal(places.take('c1', 'c', 11), false);
});

/** Holders that take and leave in any order, always wanting more than there is. */
const steps = fc.array(
  fc.record({
    holder: fc.constantFrom('a', 'b', 'c'),
    weight: fc.integer({ min: 1, max: 4 }),
    leave: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
  }),
  { maxLength: 120 },
);

test('whatever the holders do, no more is taken than there is, and a holder that asks for little gets it', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const max = 12;
      const held = new Map<number, { holder: string; weight: number }>();
      const places = new FairPlaces<number>({
        max,
        beyondShare: 'refuse',
        evict: (item) => held.delete(item),
      });
      const weightOf = (holder?: string): number =>
        [...held.values()].reduce(
          (sum, one) => sum + (holder === undefined || one.holder === holder ? one.weight : 0),
          0,
        );
      for (const [index, { holder, weight, leave }] of all.entries()) {
        const leaving = leave === undefined ? undefined : [...held.keys()][leave % (held.size || 1)];
        if (leaving !== undefined) {
          assert.ok(places.leave(leaving));
          held.delete(leaving);
        }
        const own = weightOf(holder);
        const taken = places.take(index, holder, weight);
        if (taken) held.set(index, { holder, weight });
        // Three holders share twelve: nobody is refused while it would have no more than an item less than a third.
        else assert.ok(own + weight > max / 3 - 3, `${holder} had ${own} and was refused ${weight}`);
        assert.ok(weightOf() <= max);
        assert.deepEqual([...places], [...held.keys()]);
      }
    }),
  );
});

test('a flood costs each newcomer the same, however many are held and however many hold them', () => {
  const cpuMsFor = (count: number): number => {
    const places = new FairPlaces<number>({ max: count, beyondShare: 'replace-oldest', evict: () => {} });
    const before = cpuUsage();
    for (let item = 0; item < count * 4; item += 1) places.take(item, `${item % (count / 2)}`);
    return cpuUsage(before).user / 1_000;
  };
  cpuMsFor(1_000);
  const [small, large] = [cpuMsFor(2_000), cpuMsFor(20_000)];
  assert.ok(large < 60 * small + 50, `ten times as many took ${large} ms of CPU instead of ${small} ms`);
});
