import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type LabelSelector, selects } from '../label-selector.ts';
import { SelectorIndex } from './selector-index.ts';

const key = fc.constantFrom('app', 'tier', 'toString');
const value = fc.constantFrom('a', 'b');
const labels = fc.dictionary(key, value, { noNullPrototype: true });
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({
        key,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.array(value, { minLength: 1 }),
      }),
      fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
    ),
    { maxLength: 2 },
  ),
});

test('a selector index finds exactly the items that a look at every selector would find', () => {
  fc.assert(
    fc.property(fc.array(selector), fc.array(fc.nat(20)), labels, (selectors, removed, asked) => {
      const book = new SelectorIndex<number>();
      const present = new Map(selectors.entries());
      for (const [item, one] of present) book.add(item, one);
      for (const item of removed) {
        const one = present.get(item);
        if (one !== undefined) book.remove(item, one);
        present.delete(item);
      }
      const expected = [...present].filter(([, one]) => selects(one, asked)).map(([item]) => item);
      assert.deepEqual([...book.selecting(asked)].sort(), expected.sort());
      const keys = [...present.values()].flatMap((one) => [
        ...Object.keys(one.matchLabels),
        ...one.matchExpressions.map((expression) => expression.key),
      ]);
      assert.deepEqual(new Set(book.keys), new Set(keys));
      assert.equal(book.isEmpty, present.size === 0);
    }),
  );
});
