import assert from 'node:assert/strict';
import test from 'node:test';
import { Answers } from './answers.ts';

/** A fact that tests change, and an answer made of it. */
const world = () => {
  const facts = { a: 1, b: 1 };
  const answers = new Answers();
  let compiled = 0;
  const ask = (fact: 'a' | 'b', onChange: () => void = () => {}) =>
    answers.ask(
      fact,
      (previous: { readonly n: number } | undefined) => {
        compiled += 1;
        const value = previous?.n === facts[fact] ? previous : { n: facts[fact] };
        return { value, reads: new Set([fact]) };
      },
      onChange,
    );
  const set = (fact: 'a' | 'b', n: number) => {
    facts[fact] = n;
    answers.touch([fact]);
  };
  return { answers, ask, set, compiled: () => compiled };
};

test('those who ask the same share one answer, compiled once', () => {
  const { ask, answers, compiled } = world();
  const [one, two] = [ask('a'), ask('a')];
  assert.equal(one.value, two.value);
  assert.equal(compiled(), 1);
  assert.deepEqual([...answers.kinds], [['a', 1]]);
});

test('a change tells those whose answer it changed, once, and nobody else', () => {
  const { ask, set, answers } = world();
  const told: string[] = [];
  const held = [
    ask('a', () => told.push('a1')),
    ask('a', () => told.push('a2')),
    ask('b', () => told.push('b')),
  ];
  for (const { value } of held) assert.deepEqual(value, { n: 1 });
  set('a', 2);
  set('a', 3);
  assert.deepEqual(told, []);
  answers.settle();
  assert.deepEqual(told, ['a1', 'a2']);
  assert.deepEqual(held[0]?.value, { n: 3 });
  answers.settle();
  assert.equal(told.length, 2);
});

test('a change that leaves the answer as it was tells nobody', () => {
  const { ask, set, answers, compiled } = world();
  const { value } = ask('a', () => assert.fail('nothing changed'));
  set('a', 1);
  answers.settle();
  assert.equal(compiled(), 2);
  assert.deepEqual(value, { n: 1 });
});

test('who looks between a change and its settling sees the new answer, and the others are still told', () => {
  const { ask, set, answers } = world();
  const told: string[] = [];
  const early = ask('a', () => told.push('early'));
  assert.deepEqual(early.value, { n: 1 });
  set('a', 2);
  assert.deepEqual(ask('a').value, { n: 2 });
  answers.settle();
  assert.deepEqual(told, ['early']);
});

test('an answer that nobody waits on is forgotten, and changes do not compile it', () => {
  const { ask, set, answers, compiled } = world();
  const [one, two] = [ask('a', () => assert.fail('released')), ask('a')];
  assert.equal(one.value, two.value);
  one.release();
  one.release();
  assert.deepEqual([...answers.kinds], [['a', 1]]);
  two.release();
  assert.deepEqual([...answers.kinds], []);
  set('a', 2);
  answers.settle();
  assert.equal(compiled(), 1);
});

test('an asker that leaves while the others are told is not told', () => {
  const { ask, set, answers } = world();
  const told: string[] = [];
  const first = ask('a', () => {
    told.push('first');
    second.release();
  });
  const second = ask('a', () => told.push('second'));
  assert.equal(first.value, second.value);
  set('a', 2);
  answers.settle();
  assert.deepEqual(told, ['first']);
});
