import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { aStreamOf } from '@gatehouse/testing/fake-stream';
import { aGrpcServer, eventually } from '@gatehouse/testing/grpc';
import { type LatestStream, LatestStreams, type Row } from './latest-stream.ts';
import { MessageReader } from './message-frames.ts';

const row = (text: string, refresh = true): Row => ({ bytes: Buffer.from(text), refresh });

/** Streams with a wheel that the test turns: seconds pass when it says so. */
const withClock = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  return { streams: new LatestStreams<Row>(), seconds: (count: number) => t.mock.timers.tick(count * 1_000) };
};

test('each new row is sent once', (t) => {
  const call = aStreamOf(t);
  const stream = new LatestStreams<Row>().open(call);
  for (const text of ['a', 'b', 'b', 'a']) stream.offer(row(text));
  assert.deepEqual(call.sent, ['a', 'b', 'a']);
});

test('a slow reader gets the newest row and none of those between', (t) => {
  const call = aStreamOf(t);
  const stream = new LatestStreams<Row>().open(call);
  call.stall();
  for (const text of ['a', 'b', 'c', 'd']) stream.offer(row(text));
  assert.deepEqual(call.sent, ['a']);
  call.read();
  assert.deepEqual(call.sent, ['a', 'd']);
});

test('a row that returns to what the reader has is not sent', (t) => {
  const call = aStreamOf(t);
  const stream = new LatestStreams<Row>().open(call);
  call.stall();
  for (const text of ['a', 'b', 'a']) stream.offer(row(text));
  call.read();
  assert.deepEqual(call.sent, ['a']);
});

test('a stream knows what was handed over and what has left', (t) => {
  const call = aStreamOf(t);
  const stream = new LatestStreams<Row>().open(call);
  const [a, b] = [row('a'), row('b')];
  call.stall();
  stream.offer(a);
  stream.offer(b);
  assert.deepEqual([stream.sent, stream.delivered], [a, undefined]);
  call.stall();
  call.read();
  assert.deepEqual(stream.delivered, a);
  assert.deepEqual(stream.sent, b);
});

test('a quiet stream is sent its row again every four minutes, always within five of the last', (t) => {
  const { streams, seconds } = withClock(t);
  const call = aStreamOf(t);
  const stream = streams.open(call);
  stream.offer(row('a'));
  let last = 0;
  for (let second = 1; second <= 3_600; second += 1) {
    const before = call.sent.length;
    seconds(1);
    if (call.sent.length === before) continue;
    assert.ok(second - last <= 240, `${second - last} s of silence`);
    last = second;
  }
  assert.equal(call.sent.length, 1 + 15);
});

test('refreshes of many streams are spread evenly', (t) => {
  const { streams, seconds } = withClock(t);
  const calls = Array.from({ length: 2_400 }, () => aStreamOf(t));
  for (const call of calls) streams.open(call).offer(row('a'));
  const perSecond: number[] = [];
  const total = (): number => calls.reduce((sum, call) => sum + call.sent.length, 0);
  for (let second = 0; second < 240; second += 1) {
    const before = total();
    seconds(1);
    perSecond.push(total() - before);
  }
  assert.deepEqual(new Set(perSecond), new Set([10]));
});

test('a row that asks for no refresh stays silent, and the newest row decides', (t) => {
  const { streams, seconds } = withClock(t);
  const call = aStreamOf(t);
  const stream: LatestStream<Row> = streams.open(call);
  stream.offer(row('limited', false));
  seconds(600);
  assert.deepEqual(call.sent, ['limited']);
  stream.offer(row('limited', true));
  seconds(240);
  assert.deepEqual(call.sent, ['limited', 'limited']);
  stream.offer(row('limited', false));
  seconds(600);
  assert.equal(call.sent.length, 2);
});

test('nothing is refreshed before there was a first row, or while the reader is slow', (t) => {
  const { streams, seconds } = withClock(t);
  const [empty, slow] = [aStreamOf(t), aStreamOf(t)];
  streams.open(empty);
  const stream = streams.open(slow);
  slow.stall();
  stream.offer(row('a'));
  seconds(25);
  assert.deepEqual([empty.sent, slow.sent], [[], ['a']]);
});

test('a reader that takes nothing for thirty seconds is cut off, a slower one that does is not', (t) => {
  const { streams, seconds } = withClock(t);
  const [dead, slow] = [aStreamOf(t), aStreamOf(t)];
  for (const call of [dead, slow]) {
    call.stall();
    streams.open(call).offer(row('a'));
  }
  assert.deepEqual(streams.load, { streams: 2, busy: 2 });
  seconds(30);
  slow.read();
  assert.equal(dead.endedWith, undefined);
  seconds(1);
  assert.deepEqual(dead.endedWith, {
    status: { code: 'resource-exhausted', message: 'the client has not read its stream for 30 s' },
  });
  seconds(600);
  assert.equal(slow.endedWith, undefined);
  assert.deepEqual(streams.load, { streams: 1, busy: 0 });
});

test('no timer is left when the last stream has gone', (t) => {
  const { streams, seconds } = withClock(t);
  const call = aStreamOf(t);
  const stream = streams.open(call);
  stream.offer(row('a'));
  call.cancel();
  assert.deepEqual(streams.load, { streams: 0, busy: 0 });
  seconds(600);
  stream.offer(row('b'));
  assert.deepEqual(call.sent, ['a']);
  const late = aStreamOf(t);
  late.cancel();
  streams.open(late).offer(row('c'));
  assert.deepEqual([late.sent, streams.load.streams], [[], 0]);
});

test('over a real connection a reader that stops costs one message, and then gets the newest', async (t) => {
  const streams = new LatestStreams<Row>();
  const opened: LatestStream<Row>[] = [];
  const server = await aGrpcServer(t, {
    methods: {
      '/test.Test/Watch': { kind: 'server-stream', open: (call) => void opened.push(streams.open(call)) },
    },
  });
  const session = connect(`http://${server.address}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Test/Watch',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => {});
  stream.end(Buffer.alloc(5));
  await eventually(() => opened.length === 1);
  // Two megabytes, far above the stream's window, and nobody reads; then many more rows of that size.
  const rows = Array.from({ length: 20 }, (_, index) => ({
    bytes: Buffer.alloc(2_000_000, index),
    refresh: true,
  }));
  for (const each of rows) opened[0]?.offer(each);
  assert.equal(opened[0]?.sent, rows[0]);
  assert.equal(streams.load.busy, 1);

  const reader = new MessageReader(4_000_000);
  const received: Buffer[] = [];
  const two = Promise.withResolvers<void>();
  stream.on('data', (chunk: Buffer) => {
    received.push(...reader.push(chunk));
    if (received.length === 2) two.resolve();
  });
  await two.promise;
  assert.deepEqual(
    received.map((message) => [message.length, message[0]]),
    [
      [2_000_000, 0],
      [2_000_000, 19],
    ],
  );
  await eventually(() => opened[0]?.delivered === rows[19]);
  assert.equal(streams.load.busy, 0);
});
