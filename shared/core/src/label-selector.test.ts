import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  everything,
  type LabelExpression,
  type LabelSelector,
  type Labels,
  selects,
} from './label-selector.ts';

const withLabels = (matchLabels: Labels): LabelSelector => ({ matchLabels, matchExpressions: [] });
const withExpressions = (...matchExpressions: LabelExpression[]): LabelSelector => ({
  matchLabels: {},
  matchExpressions,
});

test('every operator, with the label equal, different and absent', () => {
  const key = 'tier';
  const cases: readonly (readonly [LabelExpression, equal: boolean, different: boolean, absent: boolean])[] =
    [
      [{ key, operator: 'In', values: ['a', 'b'] }, true, false, false],
      [{ key, operator: 'NotIn', values: ['a', 'b'] }, false, true, true],
      [{ key, operator: 'Exists' }, true, true, false],
      [{ key, operator: 'DoesNotExist' }, false, false, true],
      [{ key, operator: 'In', values: [] }, false, false, false],
      [{ key, operator: 'NotIn', values: [] }, true, true, true],
    ];
  for (const [expression, equal, different, absent] of cases) {
    const selector = withExpressions(expression);
    const verdicts = [{ tier: 'a' }, { tier: 'z' }, { other: 'a' }].map((labels: Labels) =>
      selects(selector, labels),
    );
    assert.deepEqual(verdicts, [equal, different, absent], JSON.stringify(expression));
  }
  assert.equal(cases.length, 6);
});

test('the empty selector selects everything, the empty value is a value', () => {
  assert.ok(selects(everything, {}));
  assert.ok(selects(everything, { a: 'b' }));
  assert.ok(selects(withLabels({ a: '' }), { a: '' }));
  assert.ok(!selects(withLabels({ a: '' }), {}));
  assert.ok(selects(withExpressions({ key: 'a', operator: 'Exists' }), { a: '' }));
});

test('labels are only those that the object has itself, not what every JavaScript object inherits', () => {
  for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.ok(!selects(withExpressions({ key, operator: 'Exists' }), {}), key);
    assert.ok(selects(withExpressions({ key, operator: 'DoesNotExist' }), {}), key);
  }
});

const keys = ['a', 'b', 'c'] as const;
const values = ['x', 'y', ''] as const;
const labels: fc.Arbitrary<Labels> = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values));
const expression: fc.Arbitrary<LabelExpression> = fc.oneof(
  fc.record({
    key: fc.constantFrom(...keys),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.uniqueArray(fc.constantFrom(...values)),
  }),
  fc.record({
    key: fc.constantFrom(...keys),
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
  }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: labels,
  matchExpressions: fc.array(expression, { maxLength: 3 }),
});

test('all parts must hold: a selector is the conjunction of its parts, each alone', () => {
  fc.assert(
    fc.property(selector, labels, (whole, object) => {
      const parts = [
        ...Object.entries(whole.matchLabels).map(([key, value]) => withLabels({ [key]: value })),
        ...whole.matchExpressions.map((one) => withExpressions(one)),
      ];
      assert.equal(
        selects(whole, object),
        parts.every((part) => selects(part, object)),
      );
    }),
  );
});

test('NotIn is the opposite of In, DoesNotExist of Exists, and a matchLabels pair is In with one value', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.array(fc.constantFrom(...values)),
      labels,
      (key, some, object) => {
        const holds = (one: LabelExpression): boolean => selects(withExpressions(one), object);
        assert.notEqual(
          holds({ key, operator: 'In', values: some }),
          holds({ key, operator: 'NotIn', values: some }),
        );
        assert.notEqual(holds({ key, operator: 'Exists' }), holds({ key, operator: 'DoesNotExist' }));
        const value = some[0] ?? 'x';
        assert.equal(
          selects(withLabels({ [key]: value }), object),
          holds({ key, operator: 'In', values: [value] }),
        );
      },
    ),
  );
});
