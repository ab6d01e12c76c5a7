import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { suite, type TestContext, test } from 'node:test';
import { aGrpcServer, eventually, portOf } from '@gatehouse/testing/grpc';
import { aStallingNetwork } from '@gatehouse/testing/stalling-network';
import { ConnectionPings, type Pinged } from './connection-pings.ts';
import type { StreamCall } from './transport.ts';

const path = '/test.Test/Watch';

/** A server that keeps its streams, and a client behind a network in which the test can stop what the server sends. */
const connected = async (t: TestContext) => {
  const calls: StreamCall[] = [];
  const server = await aGrpcServer(t, {
    methods: { [path]: { kind: 'server-stream', open: (call) => void calls.push(call) } },
  });
  const network = await aStallingNetwork(t, { to: { host: '127.0.0.1', port: portOf(server) } });
  const session = connect(`http://127.0.0.1:${network.address.port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const open = async () => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    // An empty message.
    stream.end(Buffer.alloc(5));
    const count = calls.length;
    await eventually(() => calls.length > count);
    return { stream, call: calls[count] ?? assert.fail() };
  };
  return { network, session, open };
};

/** Sends a message; says how far it came. */
const sent = (call: StreamCall, bytes: number) => {
  const seen = { hasLeft: false, isAnswered: false };
  call.onWritable(() => {
    seen.hasLeft = true;
    call.onAnswered(() => {
      seen.isAnswered = true;
    });
  });
  call.send(Buffer.alloc(bytes));
  return seen;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

suite('what a client has read', () => {
  test('is known once it has answered after the message had left', async (t) => {
    const { open } = await connected(t);
    const { stream, call } = await open();
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const seen = sent(call, 1_000);
    await eventually(() => seen.isAnswered);
    assert.equal(received, 1_005);
  });

  test('is not known of a client that nothing reaches any more, though the message has left', async (t) => {
    const { open, network } = await connected(t);
    const { stream, call } = await open();
    stream.resume();
    network.stall();
    const seen = sent(call, 1_000);
    await eventually(() => seen.hasLeft);
    await pause(200);
    assert.equal(seen.isAnswered, false);
    network.goOn();
    await eventually(() => seen.isAnswered);
  });

  test('is not known while the window of the stream is full, though the connection answers for others', async (t) => {
    const { open } = await connected(t);
    const slow = await open();
    slow.stream.pause();
    // More than a window of 64 KiB.
    const stuck = sent(slow.call, 200_000);
    const other = await open();
    other.stream.resume();
    const seen = sent(other.call, 10);
    await eventually(() => seen.isAnswered);
    assert.deepEqual(stuck, { hasLeft: false, isAnswered: false });
    slow.stream.resume();
    await eventually(() => stuck.isAnswered);
  });

  test('a connection that is cut never answers', async (t) => {
    const { open, network, session } = await connected(t);
    const { stream, call } = await open();
    stream.resume();
    network.stall();
    const seen = sent(call, 10);
    await eventually(() => seen.hasLeft);
    session.destroy();
    await eventually(() => call.signal.aborted);
    call.onAnswered(() => {
      seen.isAnswered = true;
    });
    await pause(50);
    assert.equal(seen.isAnswered, false);
  });
});

test('one PING at a time is on its way on a connection, and all that came meanwhile share the next', async () => {
  const pings: ((error: Error | null) => void)[] = [];
  const connection = {
    destroyed: false,
    ping: (answer: (error: Error | null) => void) => pings.push(answer) > 0,
  } as unknown as Pinged;
  const asking = new ConnectionPings();
  const told: number[] = [];
  const ask = (number: number) => asking.ask(connection, () => told.push(number));
  for (const number of [1, 2]) ask(number);
  await eventually(() => pings.length === 1);
  for (const number of [3, 4]) ask(number);
  await pause(50);
  assert.equal(pings.length, 1);
  pings[0]?.(null);
  assert.deepEqual(told, [1, 2]);
  await eventually(() => pings.length === 2);
  pings[1]?.(null);
  assert.deepEqual(told, [1, 2, 3, 4]);
  asking.close();
});
