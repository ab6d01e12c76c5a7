import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedQueue } from './bounded-queue.ts';

const options = { max: 2, maxWaiting: 2, patienceMs: 60_000, who: 'the API server' };

test('so many work at once; the others have their turn in the order in which they came, or are refused', async () => {
  const queue = new BoundedQueue(options);
  const begun: number[] = [];
  const works = [0, 1, 2, 3].map(() => Promise.withResolvers<string>());
  const takes = works.map(({ promise }, index) =>
    queue.take('a', async () => {
      begun.push(index);
      return promise;
    }),
  );
  await assert.rejects(
    queue.take('a', async () => 'never'),
    {
      code: 'unavailable',
      message: '2 questions wait for the API server: try again',
    },
  );
  assert.deepEqual(begun, [0, 1]);
  works[1]?.reject(new Error('broken'));
  await assert.rejects(takes[1] ?? Promise.resolve(), { message: 'broken' });
  assert.deepEqual(begun, [0, 1, 2]);
  for (const work of [0, 2, 3]) works[work]?.resolve('done');
  assert.deepEqual(await Promise.all([takes[0], takes[2], takes[3]]), ['done', 'done', 'done']);
  assert.equal(await queue.take('a', async () => 'again'), 'again');
});

test('patience covers the wait and the work, and a turn that came too late is not lost', async () => {
  const queue = new BoundedQueue({ ...options, max: 1, patienceMs: 20 });
  const slow = queue.take(
    'a',
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  await assert.rejects(slow, {
    code: 'unavailable',
    message: 'the API server did not answer within 0.02 s',
  });
  assert.equal(await queue.take('a', async () => 'after'), 'after');
});

test('anyone who waits too long is told so, and its turn is not lost', async () => {
  const queue = new BoundedQueue({ ...options, max: 1, patienceMs: 20 });
  const { promise, resolve } = Promise.withResolvers<string>();
  // Deaf to the signal, so the turn is not free before both have been given up.
  const deaf = queue.take('a', () => promise);
  const waiting = queue.take('a', async () => 'never');
  await Promise.all([deaf, waiting].map((given) => assert.rejects(given, { code: 'unavailable' })));
  resolve('done');
  assert.equal(await queue.take('a', async () => 'after'), 'after');
});

test('clients take turns, and one that asks for everything does not keep out another', async () => {
  const queue = new BoundedQueue({ ...options, max: 1, maxWaiting: 3 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun: string[] = [];
  const ask = (from: string, name: string) =>
    queue.take(from, async () => {
      begun.push(name);
      await promise;
    });
  const many = ['m0', 'm1', 'm2', 'm3'].map((name) => ask('many', name));
  const one = ask('one', 'o');
  await assert.rejects(many[1] ?? Promise.resolve(), {
    code: 'unavailable',
    message: '3 questions wait for the API server: try again',
  });
  resolve();
  await Promise.all([many[0], many[2], many[3], one]);
  assert.deepEqual(begun, ['m0', 'm2', 'o', 'm3']);
});
