import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SetMap } from './set-map.ts';

test('a set map holds what a map of sets would, and forgets keys that hold nothing', () => {
  const step = fc.record({
    how: fc.constantFrom('add' as const, 'remove' as const),
    key: fc.constantFrom('a', 'b'),
    value: fc.constantFrom('x', 'y', 'z'),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const sets = new SetMap<string, string>();
      const model: Record<string, Set<string>> = { a: new Set(), b: new Set() };
      for (const { how, key, value } of steps) {
        sets[how](key, value);
        model[key]?.[how === 'add' ? 'add' : 'delete'](value);
      }
      for (const key of ['a', 'b']) {
        assert.deepEqual(new Set(sets.get(key)), model[key]);
        assert.equal(sets.has(key), (model[key]?.size ?? 0) > 0);
      }
    }),
  );
});
