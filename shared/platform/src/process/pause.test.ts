import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { pause } from './pause.ts';

test('a pause ends with its time or with the signal, and leaves nothing with the signal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { signal } = new AbortController();
  let ended = false;
  const waiting = pause(10, signal).then(() => {
    ended = true;
  });
  t.mock.timers.tick(9);
  await Promise.resolve();
  assert.equal(ended, false);
  t.mock.timers.tick(1);
  await waiting;
  assert.equal(getEventListeners(signal, 'abort').length, 0);

  const abort = new AbortController();
  const cut = pause(10, abort.signal);
  abort.abort();
  await cut;
  await pause(10, abort.signal);
});
