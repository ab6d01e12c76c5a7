import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventHub } from './event-hub.ts';

const never = new AbortController().signal;
const warning = (at: number) => JSON.stringify({ at, event: 'warning', reason: `at ${at}` });

test('what was told already and what comes later both end a wait', async () => {
  const hub = new EventHub();
  const wait = (at: number) =>
    hub.first('it', ({ event }) => event.at === at, { timeoutMs: 1_000, signal: never });
  hub.take('backend-0', warning(1));
  assert.equal((await wait(1)).pod, 'backend-0');
  const later = wait(2);
  hub.take('frontend-0', 'this is not an event');
  hub.take('frontend-0', warning(2));
  assert.equal((await later).pod, 'frontend-0');
});

test('a wait in vain says what it waited for; an interrupted one says so', async () => {
  const hub = new EventHub();
  const wait = (signal: AbortSignal, timeoutMs: number) =>
    hub.first('a certificate', () => false, { timeoutMs, signal });
  await assert.rejects(wait(never, 1), { code: 'deadline-exceeded', message: /in vain for a certificate/ });
  const abort = new AbortController();
  const waiting = wait(abort.signal, 60_000);
  abort.abort();
  await assert.rejects(waiting, { code: 'cancelled', message: /interrupted/ });
});

test('a mesh that stays up for days keeps its newest events and forgets the oldest', () => {
  const hub = new EventHub();
  for (let at = 0; at < 10_000; at += 1) hub.take('backend-0', warning(at));
  const kept = hub.of('warning', { pod: 'backend-0', since: 0 });
  assert.ok(kept.length >= 2_000 && kept.length <= 4_000, `${kept.length}`);
  assert.equal(kept.at(-1)?.at, 9_999);
});
