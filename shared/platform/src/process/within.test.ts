import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aClock } from '@gatehouse/testing/a-clock';
import { within } from './within.ts';

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('work that ends in time gives its result, or its own failure', async () => {
  const clock = aClock();
  assert.equal(await within({ ms: 10, clock }, async () => 'done'), 'done');
  await assert.rejects(
    within({ ms: 10, clock }, () => {
      throw new Error('broken');
    }),
    { message: 'broken' },
  );
});

test('work that takes too long is told, and given up whether it listens or not', async () => {
  const clock = aClock();
  const told: unknown[] = [];
  const deaf = within({ ms: 10, clock }, (signal) => {
    signal.addEventListener('abort', () => told.push(signal.reason));
    return new Promise(() => {});
  });
  const late = new Error('the API server has not answered');
  const obedient = within({ ms: 20, clock, late: () => late }, untilAborted);
  clock.pass(9);
  assert.deepEqual(told, []);
  clock.pass(1);
  await assert.rejects(deaf, { code: 'deadline-exceeded', message: 'not done within 10 ms' });
  assert.equal(told.length, 1);
  clock.pass(10);
  await assert.rejects(obedient, (error) => error === late);
});

test('the abort of the caller reaches the work, which decides when it has ended', async () => {
  const clock = aClock();
  const abort = new AbortController();
  const cleaned = Promise.withResolvers<string>();
  const working = within({ ms: 10, signal: abort.signal, clock }, async (signal) => {
    await untilAborted(signal).catch(() => {});
    return cleaned.promise;
  });
  abort.abort(new Error('the caller left'));
  cleaned.resolve('clean');
  assert.equal(await working, 'clean');
});

test('nothing of the deadline is left when the work has ended', async () => {
  const clock = aClock();
  let lateCalls = 0;
  const late = (): Error => {
    lateCalls += 1;
    return new Error('late');
  };
  const seen: AbortSignal[] = [];
  await within({ ms: 10, clock, late }, async (signal) => void seen.push(signal));
  await assert.rejects(within({ ms: 10, clock, late }, () => Promise.reject(new Error('broken'))));
  clock.pass(100);
  assert.deepEqual([lateCalls, seen.map(({ aborted }) => aborted)], [0, [false]]);
});
