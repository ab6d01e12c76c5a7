import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import { type CallFloodOptions, callFlood, connectedTo } from '@gatehouse/testing/hostile/call-flood';
import { aSmallServer, paths } from '@gatehouse/testing/hostile/small-server';
import { frameBytes, frameType } from '@gatehouse/testing/raw-http2';
import { Metrics } from '../metrics/metrics.ts';
import { GrpcClient } from './client.ts';
import type { ServerLimits } from './server-limits.ts';
import type { Methods, StreamCall } from './transport.ts';

const methods = (opened: StreamCall[] = []): Methods => ({
  [paths.watch]: {
    kind: 'server-stream',
    open: (call) => {
      opened.push(call);
      call.send(Buffer.from('row'));
    },
  },
  [paths.echo]: { kind: 'unary', handle: ({ request }) => request },
});

const aServer = async (t: TestContext, limits: Partial<ServerLimits>) => {
  const metrics = new Metrics('test');
  const opened: StreamCall[] = [];
  const server = await aGrpcServer(t, { methods: methods(opened), metrics, limits });
  const refused = async (reason: string): Promise<number> => {
    const found = new RegExp(`calls_refused_total\\{reason="${reason}",service="test"\\} (\\d+)`).exec(
      await metrics.text(),
    );
    return Number(found?.[1] ?? 0);
  };
  const open = async (): Promise<number> =>
    Number(/grpc_server_calls\{service="test"\} (\d+)/.exec(await metrics.text())?.[1]);
  return { server, opened, refused, open };
};

test('calls beyond the bound of a connection are answered ResourceExhausted, and the others go on', async (t) => {
  const { server, opened, refused } = await aServer(t, { perConnection: 3 });
  const client = aGrpcClient(t, server);
  const streams = [1, 2, 3].map(() => receive(client, paths.watch));
  for (const stream of streams) assert.equal(await stream.message(0), 'row');
  const error = await receive(client, paths.watch).ended;
  assert.equal(error?.code, 'resource-exhausted');
  assert.match(error?.message ?? '', /too many calls are open on this connection/);
  await assert.rejects(client.unary(paths.echo, Buffer.from('hi')), { code: 'resource-exhausted' });
  assert.equal(await refused('connection'), 2);

  opened[0]?.send(Buffer.from('news'));
  assert.equal(await streams[0]?.message(1), 'news');
  streams[1]?.cancel();
  await eventually(() => server.streams === 2);
  assert.equal(await receive(client, paths.watch).message(0), 'row', 'what ends makes room');
});

test('calls beyond the bound of an address are refused on every connection of it', async (t) => {
  const { server, refused } = await aServer(t, { perAddress: 2 });
  const clients = [aGrpcClient(t, server), aGrpcClient(t, server)];
  for (const client of clients) assert.equal(await receive(client, paths.watch).message(0), 'row');
  for (const client of clients) {
    await assert.rejects(client.unary(paths.echo, Buffer.from('hi')), { code: 'resource-exhausted' });
  }
  assert.equal(await refused('address'), 2);
});

test('when all places are taken, the address that has most of them gives some up to others', async (t) => {
  const { server, refused } = await aServer(t, { all: 20, perAddress: 30 });
  const crowd = await callFlood({
    socket: await connectedTo(portOf(server), '127.0.7.7'),
    calls: 30,
    call: { path: paths.watch, message: Buffer.from('x') },
  });
  t.after(() => crowd.stop());
  await eventually(() => crowd.ended === 10 && server.streams === 20);
  const client = aGrpcClient(t, server);
  for (let count = 0; count < 9; count += 1)
    assert.equal(await receive(client, paths.watch).message(0), 'row');
  await eventually(() => crowd.reset === 9 && server.streams === 20);
  assert.deepEqual([await refused('all'), await refused('made-room')], [10, 9]);
});

test('a request has a bounded time to come whole, and there is a bounded number of those that have not', async (t) => {
  const { server, refused } = await aServer(t, { arriving: 5, arrivalMs: 300 });
  const half = await callFlood({
    socket: await connectedTo(portOf(server)),
    calls: 8,
    call: { path: paths.echo },
  });
  t.after(() => half.stop());
  await eventually(() => half.reset === 8);
  assert.deepEqual([await refused('arriving'), await refused('arrival-timeout')], [3, 5]);
  const client = aGrpcClient(t, server);
  assert.equal((await client.unary(paths.echo, Buffer.from('alive'))).length, 5);
});

test('headers beyond their bound are refused', async (t) => {
  const { server, refused } = await aServer(t, { headerBytes: 1_000 });
  const large = await callFlood({
    socket: await connectedTo(portOf(server)),
    calls: 1,
    call: { path: paths.echo, message: Buffer.from('x'), headers: { 'x-large': 'x'.repeat(1_000) } },
  });
  t.after(() => large.stop());
  await eventually(() => large.ended === 1);
  assert.equal(await refused('headers'), 1);
});

test('a client that takes no notice of refusals loses its connection', async (t) => {
  const { server, refused } = await aServer(t, { perConnection: 1, unheard: 50 });
  const deaf = await callFlood({
    socket: await connectedTo(portOf(server)),
    calls: 1_000,
    reads: false,
    call: { path: paths.watch, message: Buffer.from('x') },
  });
  t.after(() => deaf.stop());
  await eventually(() => server.connections === 0);
  assert.ok((await refused('unheard')) >= 1);
});

test('a call that is cancelled in the moment in which it comes leaves nothing behind', async (t) => {
  const { server, open } = await aServer(t, {});
  const cancel = (stream: number) => frameBytes(frameType.reset, 0, stream, Buffer.of(0, 0, 0, 8));
  const flood = await callFlood({
    socket: await connectedTo(portOf(server)),
    calls: 500,
    call: { path: paths.watch, message: Buffer.from('x') },
    after: cancel,
  });
  t.after(() => flood.stop());
  const client = aGrpcClient(t, server);
  assert.equal((await client.unary(paths.echo, Buffer.from('alive'))).length, 5);
  await eventually(async () => server.streams === 0 && (await open()) === 0);
});

test('calls that come in one moment are opened in slices, and other clients have their turn in between', async (t) => {
  const calls = 300;
  /** The turn of the event loop in which each call was opened, by who called. */
  const turns = { crowd: [] as number[], other: [] as number[] };
  let turn = 0;
  const count = (): void => {
    turn += 1;
    ticking = setImmediate(count);
  };
  let ticking = setImmediate(count);
  t.after(() => clearImmediate(ticking));
  const server = await aGrpcServer(t, {
    methods: {
      [paths.watch]: {
        kind: 'server-stream',
        open: (call) => {
          for (const until = performance.now() + 1; performance.now() < until; );
          turns[call.peer.address === '127.0.7.7' ? 'crowd' : 'other'].push(turn);
          call.send(Buffer.from('row'));
        },
      },
    },
  });
  const other = aGrpcClient(t, server);
  assert.equal(await receive(other, paths.watch).message(0), 'row');
  const crowd = await callFlood({
    socket: await connectedTo(portOf(server), '127.0.7.7'),
    calls,
    call: { path: paths.watch, message: Buffer.from('x') },
  });
  t.after(() => crowd.stop());
  await eventually(() => turns.crowd.length > 0);
  assert.equal(await receive(other, paths.watch).message(0), 'row');
  const last = turns.crowd.length;
  await eventually(() => turns.crowd.length === calls);
  assert.ok(last < calls, 'the other client waited for all of the crowd');
  const each = Map.groupBy(turns.crowd, (opened) => opened);
  const most = Math.max(...Array.from(each.values(), ({ length }) => length));
  // Between two counts lie the 16 that may begin as they come and a slice of 5 ms, in which a call takes at least 1 ms.
  assert.ok(most <= 32, `${most} calls were opened in one turn`);
});

const floods: readonly (Omit<CallFloodOptions, 'socket'> & { readonly what: string })[] = [
  { what: 'streams', calls: 33_000, call: { path: paths.watch, message: Buffer.from('x') } },
  {
    what: 'streams with the largest headers',
    calls: 6_000,
    call: { path: paths.watch, message: Buffer.from('x'), headers: { 'x-large': 'x'.repeat(7_000) } },
  },
  {
    what: 'streams whose answers nobody reads',
    // One that hears nothing has a window of 65,535 bytes, and each message takes six of them.
    calls: 6_000,
    reads: false,
    call: { path: paths.watch, message: Buffer.from('x') },
  },
  { what: 'calls that take long', calls: 6_000, call: { path: paths.hang, message: Buffer.alloc(2_000) } },
  { what: 'calls without a request', calls: 6_000, call: { path: paths.watch } },
  { what: 'calls of a method that does not exist', calls: 6_000, call: { path: '/test.Test/Nothing' } },
];

for (const { what, ...flood } of floods) {
  test(`a process with a heap of 256 MiB survives ${flood.calls} ${what} on one connection`, async (t) => {
    const server = await aSmallServer(t);
    const attack = await callFlood({ ...flood, socket: await connectedTo(server.port, '127.0.7.7') });
    t.after(() => attack.stop());
    // Whatever is not heard of is open: all but a bounded number must have been refused, or all of them.
    if (flood.reads !== false) {
      await eventually(() => attack.closed || attack.ended + attack.reset >= flood.calls - 5_000);
    }
    const client = new GrpcClient({
      address: { host: '127.0.0.1', port: server.port },
      security: 'plaintext',
    });
    t.after(() => client.close());
    assert.equal((await client.unary(paths.echo, Buffer.from('alive'))).length, 5);
    assert.equal(Buffer.from(await receive(client, paths.watch).message(0)).length, 1_500);
    const { streams, metrics } = await server.ask();
    assert.ok(streams < 5_000, `${streams} streams are open`);
    assert.match(metrics, /grpc_server_calls_refused_total\{/);
  });
}
