import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aStreamOf } from '@gatehouse/testing/fake-stream';
import { StreamPacer } from './stream-pacer.ts';

/** A source of differences, as destination's: it says what was added since it was asked last. */
const aDifference = () => {
  let pending: string[] = [];
  return {
    add: (text: string) => void pending.push(text),
    next: () => {
      if (pending.length === 0) return undefined;
      const message = Buffer.from(pending.join('+'));
      pending = [];
      return message;
    },
    refresh: () => Buffer.from('still here'),
  };
};

test('a source is asked only when the reader can take a message, so differences join while it is slow', (t) => {
  const call = aStreamOf(t);
  const source = aDifference();
  const paced = new StreamPacer().attach(call, source);
  for (const text of ['a', 'b', 'c']) {
    if (text === 'b') call.stall();
    source.add(text);
    paced.wake();
  }
  source.add('d');
  paced.wake();
  assert.deepEqual(call.sent, ['a', 'b']);
  call.read();
  assert.deepEqual(call.sent, ['a', 'b', 'c+d']);
});

test('a source that has several messages is asked until it has none', (t) => {
  const call = aStreamOf(t);
  const parts = ['part 1', 'part 2', 'part 3'].map((text) => Buffer.from(text));
  const paced = new StreamPacer().attach(call, { next: () => parts.shift(), refresh: () => undefined });
  paced.wake();
  assert.deepEqual(call.sent, ['part 1', 'part 2', 'part 3']);
});

test('a refresh is whatever the source says, and may be nothing', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const pacer = new StreamPacer({ refreshEveryMs: 3_000 });
  const [loud, quiet] = [aStreamOf(t), aStreamOf(t)];
  pacer.attach(loud, aDifference());
  pacer.attach(quiet, { next: () => undefined, refresh: () => undefined });
  t.mock.timers.tick(6_000);
  assert.deepEqual([loud.sent, quiet.sent], [['still here', 'still here'], []]);
});

test('a source learns that its messages have left', (t) => {
  const call = aStreamOf(t);
  let left = 0;
  const messages = [Buffer.from('a')];
  const paced = new StreamPacer().attach(call, {
    next: () => messages.shift(),
    refresh: () => undefined,
    left: () => {
      left += 1;
    },
  });
  call.stall();
  paced.wake();
  assert.equal(left, 0);
  call.read();
  assert.equal(left, 1);
});
