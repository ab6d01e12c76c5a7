import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aStream } from '@gatehouse/testing/fake-stream';
import { Metrics } from '../metrics/metrics.ts';
import { OpenStreams } from './open-streams.ts';
import { measureStreams } from './stream-metrics.ts';

const registry = () => {
  let now = 1_000;
  const streams = new OpenStreams(['Mesh/Watch', 'Mesh/Get'], () => now);
  return {
    streams,
    pass: (ms: number) => {
      now += ms;
    },
    follow: (call = aStream(), method: 'Mesh/Watch' | 'Mesh/Get' = 'Mesh/Watch') =>
      streams.follow(call, { method, target: 'demo/backend:80', claimedNamespace: 'demo' }),
  };
};

const bytes = Buffer.from('a row');

test('a stream is listed with what it asks for, and with what it was sent and when', () => {
  const { streams, follow, pass } = registry();
  const call = aStream();
  const stream = follow(call);
  const opened = {
    id: '1',
    method: 'Mesh/Watch',
    target: 'demo/backend:80',
    peer: '127.0.0.9:50000',
    identity: undefined,
    claimedNamespace: 'demo',
    openedAt: 1_000,
    version: undefined,
    sentAt: undefined,
    sentBytes: 0,
    pending: 'nothing',
    deliveredVersion: undefined,
    deliveredAt: undefined,
  };
  assert.deepEqual([...streams.facts()], [opened]);
  pass(500);
  stream.sentBy({ said: { version: 'abc' } });
  stream.send(bytes);
  const sent = { version: 'abc', sentAt: 1_500, sentBytes: bytes.length };
  const read = { deliveredVersion: 'abc', deliveredAt: 1_500 };
  assert.deepEqual([...streams.facts()], [{ ...opened, ...sent, ...read }]);
  assert.deepEqual(call.sent, ['a row']);
});

test('what a slow client was sent counts as delivered when it has left and the connection has answered since', () => {
  const { streams, follow, pass } = registry();
  const call = aStream();
  const stream = follow(call);
  stream.onWritable(() => {});
  const sender = { said: { version: 'first' } };
  stream.sentBy(sender);
  const facts = () => {
    const [{ version, pending, deliveredVersion, deliveredAt } = assert.fail()] = [...streams.facts()];
    return [version, pending, deliveredVersion, deliveredAt];
  };
  call.stall();
  call.mute();
  stream.send(bytes);
  assert.deepEqual(facts(), ['first', 'unread', undefined, undefined]);
  call.read();
  assert.deepEqual(facts(), ['first', 'unanswered', undefined, undefined]);
  pass(10);
  call.answer();
  assert.deepEqual(facts(), ['first', 'nothing', 'first', 1_010]);
  call.stall();
  call.mute();
  sender.said = { version: 'second' };
  stream.send(bytes);
  call.answer();
  // The answer is older than the end of the message.
  assert.deepEqual(facts(), ['second', 'unread', 'first', 1_010]);
  call.read();
  assert.deepEqual(facts(), ['second', 'nothing', 'second', 1_010]);
});

test('a refresh of a quiet stream is on its way, and takes nothing back of what was delivered', () => {
  const { streams, follow } = registry();
  const call = aStream();
  const stream = follow(call);
  stream.onWritable(() => {});
  stream.sentBy({ said: { version: 'abc' } });
  stream.send(bytes);
  call.stall();
  stream.send(bytes);
  const [{ pending, deliveredVersion } = assert.fail()] = [...streams.facts()];
  assert.deepEqual([pending, deliveredVersion], ['unread', 'abc']);
});

test('a stream that is over is listed no more, and lets go of all that it held, once', () => {
  const { streams, follow } = registry();
  const call = aStream();
  const stream = follow(call);
  const released: string[] = [];
  for (const what of ['a row', 'a place']) stream.holds(() => released.push(what));
  call.cancel();
  call.cancel();
  assert.deepEqual([[...streams.facts()], released], [[], ['a row', 'a place']]);
});

test('a client that left before its call was looked at leaves nothing behind', () => {
  const { streams, follow } = registry();
  const call = aStream();
  call.cancel();
  const released: string[] = [];
  follow(call).holds(() => released.push('a row'));
  assert.deepEqual([[...streams.facts()], released], [[], ['a row']]);
});

test('who waits for a stream to be read is told before its next message is written', () => {
  const { follow } = registry();
  const call = aStream();
  const stream = follow(call);
  const told: string[] = [];
  stream.onLeft = () => told.push('left');
  stream.onWritable(() => told.push('next'));
  call.stall();
  stream.send(bytes);
  call.read();
  assert.deepEqual(told, ['left', 'next']);
});

test('streams and messages are counted by method, also those methods that nobody calls', async () => {
  const { streams, follow } = registry();
  const metrics = new Metrics('policy');
  measureStreams(metrics, { service: 'policy', streams });
  const [stays, leaves] = [aStream(), aStream()];
  for (const call of [stays, leaves]) follow(call).send(bytes);
  leaves.cancel();
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('gatehouse_policy_'));
  const numbers = lines.map((line) => line.replace(/\{method="([^"]*)".*\}/, ' $1'));
  assert.deepEqual(numbers.sort(), [
    'gatehouse_policy_messages_sent_total Mesh/Get 0',
    'gatehouse_policy_messages_sent_total Mesh/Watch 2',
    'gatehouse_policy_streams Mesh/Get 0',
    'gatehouse_policy_streams Mesh/Watch 1',
  ]);
});
