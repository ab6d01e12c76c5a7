import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aStream } from '@gatehouse/testing/fake-stream';
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

test('a source is asked only when the reader can take a message, so differences join while it is slow', () => {
  const call = aStream();
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
  call.cancel();
});

test('a source that has several messages is asked until it has none', () => {
  const call = aStream();
  const parts = ['part 1', 'part 2', 'part 3'].map((text) => Buffer.from(text));
  const paced = new StreamPacer().attach(call, { next: () => parts.shift(), refresh: () => undefined });
  paced.wake();
  assert.deepEqual(call.sent, ['part 1', 'part 2', 'part 3']);
  call.cancel();
});

test('a refresh is whatever the source says, and may be nothing', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const pacer = new StreamPacer({ refreshEveryMs: 3_000 });
  const [loud, quiet] = [aStream(), aStream()];
  pacer.attach(loud, aDifference());
  pacer.attach(quiet, { next: () => undefined, refresh: () => undefined });
  t.mock.timers.tick(6_000);
  assert.deepEqual([loud.sent, quiet.sent], [['still here', 'still here'], []]);
  loud.cancel();
  quiet.cancel();
});

test('a source learns that its messages have left', () => {
  const call = aStream();
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
  call.cancel();
});
