import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreshAnswers } from './fresh-answers.ts';

const counted = (options: { readonly max?: number } = {}) => {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const answers = new FreshAnswers<string>({ freshMs: 10, max: 3, now: () => clock.ms, ...options });
  const get = (question: string) =>
    answers.get(question, async () => {
      asked.push(question);
      return `${question}${asked.length}`;
    });
  return { clock, asked, answers, get };
};

test('an answer is good for its time, counted from when it was asked for, and no longer', async () => {
  const { clock, get } = counted();
  const seen = [];
  for (const ms of [0, 9, 10, 19, 20]) {
    clock.ms = ms;
    seen.push(await get('a'));
  }
  assert.deepEqual(seen, ['a1', 'a1', 'a2', 'a2', 'a3']);
});

test('those who ask while an answer is awaited share it, even a failure, which is not remembered', async () => {
  const answers = new FreshAnswers<string>({ freshMs: 10, max: 3, now: () => 0 });
  const { promise, reject } = Promise.withResolvers<string>();
  let asked = 0;
  const ask = () => {
    asked += 1;
    return asked === 1 ? promise : Promise.resolve('yes');
  };
  const both = Promise.allSettled([answers.get('a', ask), answers.get('a', ask)]);
  reject(new Error('down'));
  assert.deepEqual(
    (await both).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual([await answers.get('a', ask), asked], ['yes', 2]);
});

test('the oldest make room, and what is stale goes first', async () => {
  const { clock, asked, answers, get } = counted();
  for (const question of ['a', 'b', 'c', 'd']) await get(question);
  assert.equal(answers.size, 3);
  await get('b');
  await get('a');
  assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'a']);
  clock.ms = 10;
  await get('e');
  assert.equal(answers.size, 1);
});
