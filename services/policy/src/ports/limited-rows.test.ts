import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aRateLimit, aRejected, aServer } from '@gatehouse/testing/builders';
import { backend, frontend, open, policy, port, started } from '../../testing/a-started-policy.ts';

const server = aServer({ port: { kind: 'range', first: port, last: port } });

/** A stream for a port that frontends may call, ten times a second if it is limited. */
const watched = (t: TestContext, ...limits: readonly KubeObject[]) => {
  const { source, clock, now, answerOf, ...served } = started(t, [backend, policy, server, ...limits]);
  const stream = open(t, served, 'backend-0');
  assert.deepEqual(stream.sent, [now('backend-0')]);
  const change = (...objects: readonly KubeObject[]): string => {
    source.put(...objects);
    clock.pass(20);
    return now('backend-0');
  };
  return { source, clock, stream, answerOf, change, now };
};

test('what only widens a limited row waits until ten seconds after the last message, and the newest is sent then', (t) => {
  const { clock, stream, change } = watched(t, aRateLimit());
  const [first] = stream.sent;
  change(frontend(1));
  const second = change(frontend(2));
  clock.pass(9_900);
  assert.deepEqual(stream.sent, [first]);
  clock.pass(100);
  assert.deepEqual(stream.sent, [first, second]);
  clock.pass(60_000);
  const third = change(frontend(3));
  assert.deepEqual(stream.sent, [first, second, third], 'after a quiet time it goes at once');
});

test('what narrows it goes at once, with what waited', (t) => {
  const { clock, stream, source, change, now } = watched(t, aRateLimit());
  const [first] = stream.sent;
  change(frontend(1), frontend(2));
  source.remove(frontend(2));
  clock.pass(20);
  assert.deepEqual(stream.sent, [first, now('backend-0')]);
  const slower = change(aRateLimit({ total: 5 }));
  assert.deepEqual(stream.sent.slice(2), [slower]);
  const broken = change(aRejected('HTTPLocalRateLimitPolicy'));
  assert.deepEqual(stream.sent.slice(3), [broken]);
  clock.pass(60_000);
  assert.equal(stream.sent.length, 4);
});

test('a widening that is taken back is never sent', (t) => {
  const { clock, stream, source, change } = watched(t, aRateLimit());
  change(frontend(1));
  source.remove(frontend(1));
  clock.pass(60_000);
  assert.equal(stream.sent.length, 1);
});

test('a stream that comes is told at once, whatever the others wait for', (t) => {
  const { source, clock, now, ...served } = started(t, [backend, policy, server, aRateLimit()]);
  const old = open(t, served, 'backend-0');
  source.put(frontend(1));
  clock.pass(20);
  const fresh = open(t, served, 'backend-0');
  assert.deepEqual(fresh.sent, [now('backend-0')]);
  assert.equal(old.sent.length, 1);
  clock.pass(10_000);
  assert.deepEqual([old.sent.length, fresh.sent.length], [2, 1]);
});

test('what makes or ends the limit goes at once, and so does everything of a row without one', (t) => {
  const { stream, source, clock, change } = watched(t);
  change(frontend(1));
  change(frontend(2));
  assert.equal(stream.sent.length, 3);
  change(aRateLimit());
  assert.equal(stream.sent.length, 4);
  source.remove(aRateLimit());
  clock.pass(20);
  assert.equal(stream.sent.length, 5);
});

test('a quiet stream is not sent a limited row again', (t) => {
  assert.equal(watched(t, aRateLimit()).answerOf('backend-0')?.encoded.refresh, false);
  assert.equal(watched(t).answerOf('backend-0')?.encoded.refresh, true);
});
