import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LabelExpression, selects } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';
import { printProblem } from './problem.ts';

const read = (text: string): readonly LabelExpression[] => {
  const outcome = parseLabelSelector(text);
  assert.ok(outcome.ok, text);
  assert.deepEqual(outcome.value.matchLabels, {});
  return outcome.value.matchExpressions;
};

const problemsOf = (text: string): readonly string[] => {
  const outcome = parseLabelSelector(text, 'selector');
  assert.ok(!outcome.ok, text);
  return outcome.problems.map(printProblem);
};

test('every form that kubectl takes is read, with blanks or without', () => {
  const cases: readonly (readonly [string, ...LabelExpression[]])[] = [
    [''],
    ['  '],
    ['a=b', { key: 'a', operator: 'In', values: ['b'] }],
    ['a==b', { key: 'a', operator: 'In', values: ['b'] }],
    ['a = b', { key: 'a', operator: 'In', values: ['b'] }],
    ['a=', { key: 'a', operator: 'In', values: [''] }],
    ['a!=b', { key: 'a', operator: 'NotIn', values: ['b'] }],
    ['a in (b, c)', { key: 'a', operator: 'In', values: ['b', 'c'] }],
    ['a in(b)', { key: 'a', operator: 'In', values: ['b'] }],
    ['a notin ()', { key: 'a', operator: 'NotIn', values: [''] }],
    ['example.com/a', { key: 'example.com/a', operator: 'Exists' }],
    ['! a', { key: 'a', operator: 'DoesNotExist' }],
    [
      'a in (b,c), !d ,e=f',
      { key: 'a', operator: 'In', values: ['b', 'c'] },
      { key: 'd', operator: 'DoesNotExist' },
      { key: 'e', operator: 'In', values: ['f'] },
    ],
  ];
  for (const [text, ...expressions] of cases) assert.deepEqual(read(text), expressions, text);
  assert.equal(cases.length, 13);
});

test('what is no selector is refused, each wrong part by name', () => {
  const forms = /^selector: (.*): use app=web, /;
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['a=b,', 'a part is empty'],
    [',a', 'a part is empty'],
    ['a b', '`a b` is not a requirement'],
    ['a in b', '`a in b` is not a requirement'],
    ['a in (b', '`a in (b` is not a requirement'],
    ['a in (b,c', '`a in (b,c` is not a requirement'],
    ['a===b', '`a===b` is not a requirement'],
    ['a>1', '`a>1` is not a requirement'],
    ['!a=b', '`!a=b` is not a requirement'],
    ['=b', '`=b` is not a requirement'],
    ['a=b,c d,e,f=(g)', '`c d` is not a requirement', '`f=(g)` is not a requirement'],
  ];
  for (const [text, ...found] of cases) {
    assert.deepEqual(
      problemsOf(text).map((one) => forms.exec(one)?.[1]),
      found,
      text,
    );
  }
  assert.equal(cases.length, 11);
});

test('names and values that no label has are refused', () => {
  const long = 'x'.repeat(64);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['-a', /^selector: `-a` in `-a` is not a valid label name: a label name such as/],
    ['Example.com/a=b', /^selector: `Example.com\/a` in `Example.com\/a=b` is not a valid label name/],
    ['a=b/c', /^selector: `b\/c` in `a=b\/c` is not a valid label value: a label value/],
    ['a in (b,c d)', /^selector: `c d` in `a in \(b,c d\)` is not a valid label value/],
    [`a=${long}`, /is not a valid label value/],
    [long, /is not a valid label name/],
  ];
  for (const [text, message] of cases) assert.match(problemsOf(text).join(), message, text);
  assert.equal(cases.length, 6);
});

const word = fc.constantFrom('a', 'b', 'in', 'notin');
const printed = ({ key, ...rest }: LabelExpression): string => {
  switch (rest.operator) {
    case 'In':
      return `${key} in (${rest.values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${rest.values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
};
const expression: fc.Arbitrary<LabelExpression> = fc.oneof(
  fc.record({
    key: word,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.array(fc.oneof(word, fc.constant('')), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ key: word, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
);

test('whatever requirements are written, those are read', () => {
  fc.assert(
    fc.property(fc.array(expression, { minLength: 1, maxLength: 4 }), (expressions) => {
      assert.deepEqual(
        read(expressions.map(printed).join(',')).map((one) => ({ ...one })),
        expressions.map((one) => ({ ...one })),
      );
    }),
  );
});

test('an absent label fits != and notin, as in kubectl', () => {
  const fits = (text: string, labels: Readonly<Record<string, string>>): boolean =>
    selects({ matchLabels: {}, matchExpressions: read(text) }, labels);
  assert.ok(fits('a!=b', {}));
  assert.ok(fits('a notin (b)', { c: 'd' }));
  assert.ok(!fits('a,a!=b', {}));
  assert.ok(fits('', {}));
});

test('any text is a selector or a problem, and a long one is read in a moment', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const outcome = parseLabelSelector(text);
      assert.ok(outcome.ok || outcome.problems.length > 0);
    }),
  );
  const before = performance.now();
  for (const char of [',', '(', 'a ', ' ', 'a,', '!']) parseLabelSelector(char.repeat(50_000));
  assert.ok(performance.now() - before < 5_000);
});
