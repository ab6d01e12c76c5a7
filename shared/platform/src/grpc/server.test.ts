import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import { silentLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { GrpcClient } from './client.ts';
import { startGrpcServer } from './server.ts';
import type { Methods, StreamCall } from './transport.ts';

const echo: Methods = {
  '/test.Test/Echo': { kind: 'unary', handle: ({ request }) => request },
};

/** A stream method that keeps its calls for the test to act on. */
const keeping = (): { methods: Methods; calls: StreamCall[] } => {
  const calls: StreamCall[] = [];
  return {
    calls,
    methods: {
      ...echo,
      '/test.Test/Watch': { kind: 'server-stream', open: (call) => void calls.push(call) },
    },
  };
};

test('a unary call carries bytes there and back unchanged', async (t) => {
  const client = aGrpcClient(t, await aGrpcServer(t, { methods: echo }));
  for (const size of [0, 1, 5, 20_000]) {
    const request = Buffer.alloc(size, 0xa5);
    assert.deepEqual(Buffer.from(await client.unary('/test.Test/Echo', request)), request);
  }
});

test('a stream delivers every message in order and ends with OK', async (t) => {
  const { methods, calls } = keeping();
  const client = aGrpcClient(t, await aGrpcServer(t, { methods }));
  const received = receive(client, '/test.Test/Watch', 'who');
  await eventually(() => calls.length === 1);
  const [call] = calls;
  assert.equal(Buffer.from(call?.request ?? []).toString(), 'who');
  for (const message of ['one', 'two', 'three']) call?.send(Buffer.from(message));
  call?.end();
  assert.equal(await received.ended, undefined);
  assert.deepEqual(received.messages, ['one', 'two', 'three']);
  assert.equal(call?.signal.aborted, true);
});

test('hundreds of streams share one connection without a cap', async (t) => {
  const { methods, calls } = keeping();
  const server = await aGrpcServer(t, { methods });
  const client = aGrpcClient(t, server);
  const all = Array.from({ length: 500 }, () => receive(client, '/test.Test/Watch'));
  await eventually(() => calls.length === 500);
  assert.equal(server.streams, 500);
  assert.equal(server.connections, 1);
  for (const call of calls) call.send(Buffer.from('here'));
  for (const received of all) assert.equal(await received.message(0), 'here');
});

test('what a method throws becomes its status, and nothing else of it leaves', async (t) => {
  const thrown: [unknown, string, string][] = [
    [
      new GatehouseError('failed-precondition', 'no such pod', { details: { secret: 1 } }),
      'failed-precondition',
      'no such pod',
    ],
    [new GatehouseError('not-found', 'größer 100 % \ud800 lone'), 'not-found', 'größer 100 % \ufffd lone'],
    [new GatehouseError('unavailable', 'x'.repeat(5_000)), 'unavailable', 'x'.repeat(1_024)],
    [new Error('password is hunter2'), 'internal', 'internal error'],
    ['a string', 'internal', 'internal error'],
  ];
  const methods: Methods = {
    '/test.Test/Unary': {
      kind: 'unary',
      handle: ({ request }) => {
        throw thrown[Number(Buffer.from(request).toString())]?.[0];
      },
    },
    '/test.Test/Stream': {
      kind: 'server-stream',
      open: ({ request }) => {
        throw thrown[Number(Buffer.from(request).toString())]?.[0];
      },
    },
  };
  const client = aGrpcClient(t, await aGrpcServer(t, { methods }));
  for (const [index, [, code, message]] of thrown.entries()) {
    await assert.rejects(client.unary('/test.Test/Unary', Buffer.from(`${index}`)), { code, message });
    const error = await receive(client, '/test.Test/Stream', `${index}`).ended;
    assert.deepEqual([error?.code, error?.message], [code, message]);
  }
});

test('a request above the bound is answered ResourceExhausted and never reaches the method', async (t) => {
  const { methods, calls } = keeping();
  let handled = 0;
  const counting: Methods = {
    ...methods,
    '/test.Test/Echo': {
      kind: 'unary',
      handle: ({ request }) => {
        handled += 1;
        return request;
      },
    },
  };
  const client = aGrpcClient(t, await aGrpcServer(t, { methods: counting, maxRequestBytes: 1_000 }));
  const large = 'x'.repeat(1_001);
  await assert.rejects(client.unary('/test.Test/Echo', Buffer.from(large)), { code: 'resource-exhausted' });
  // Not InvalidArgument or FailedPrecondition: a proxy would give up its watch for good (contract/proxy.md §0 row 5).
  assert.equal((await receive(client, '/test.Test/Watch', large).ended)?.code, 'resource-exhausted');
  assert.deepEqual([handled, calls.length], [0, 0]);
  assert.equal((await client.unary('/test.Test/Echo', Buffer.alloc(1_000))).length, 1_000);
});

test('a method that is not there is Unimplemented', async (t) => {
  const client = aGrpcClient(t, await aGrpcServer(t, { methods: echo }));
  await assert.rejects(client.unary('/test.Test/Nothing', Buffer.alloc(0)), { code: 'unimplemented' });
});

test('a client that gives up aborts its call', async (t) => {
  const { methods, calls } = keeping();
  const begun = Promise.withResolvers<AbortSignal>();
  const slow: Methods = {
    ...methods,
    '/test.Test/Slow': {
      kind: 'unary',
      handle: ({ signal }) => {
        begun.resolve(signal);
        return Promise.withResolvers<Uint8Array>().promise;
      },
    },
  };
  const server = await aGrpcServer(t, { methods: slow });
  const client = aGrpcClient(t, server);
  const abort = new AbortController();
  const call = client.unary('/test.Test/Slow', Buffer.alloc(0), { signal: abort.signal });
  const signal = await begun.promise;
  abort.abort();
  await assert.rejects(call, { code: 'cancelled' });
  await eventually(() => signal.aborted);

  const received = receive(client, '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  received.cancel();
  await eventually(() => calls[0]?.signal.aborted === true && server.streams === 0);
  assert.equal(calls[0]?.send(Buffer.from('too late')), false);
});

test('a stream that nobody reads is reset at once when it ends with a failure', async (t) => {
  const { methods, calls } = keeping();
  const server = await aGrpcServer(t, { methods });
  const session = connectHttp2(`http://${server.address}`);
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/test.Test/Watch',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => {});
  stream.end(Buffer.alloc(5));
  await eventually(() => calls.length === 1);
  let left = 0;
  calls[0]?.onWritable(() => {
    left += 1;
  });
  // Far more than the stream's window of 64 KiB, and nobody reads.
  assert.equal(calls[0]?.send(Buffer.alloc(2_000_000)), false);
  const closed = Promise.withResolvers<number | undefined>();
  stream.on('close', () => closed.resolve(stream.rstCode));
  calls[0]?.end({ code: 'resource-exhausted', message: 'too slow' });
  stream.resume();
  assert.equal(await closed.promise, 11, 'ENHANCE_YOUR_CALM, which gRPC reads as ResourceExhausted');
  await eventually(() => calls[0]?.signal.aborted === true);
  assert.equal(left, 0);
});

test('onWritable says when everything handed over has left', async (t) => {
  const { methods, calls } = keeping();
  const client = aGrpcClient(t, await aGrpcServer(t, { methods }));
  const received = receive(client, '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  const left = Promise.withResolvers<void>();
  calls[0]?.onWritable(() => left.resolve());
  calls[0]?.send(Buffer.alloc(1_000_000, 'x'));
  await left.promise;
  assert.equal((await received.message(0)).length, 1_000_000);
});

test('draining ends streams with OK after GOAWAY, finishes calls in hand and refuses new ones', async (t) => {
  const { methods, calls } = keeping();
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<Uint8Array>();
  const server = await startGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    tls: 'plaintext',
    log: silentLog,
    metrics: new Metrics('test'),
    methods: {
      ...methods,
      '/test.Test/Slow': {
        kind: 'unary',
        handle: () => {
          begun.resolve();
          return finish.promise;
        },
      },
    },
  });
  const [one, two] = [aGrpcClient(t, server), aGrpcClient(t, server)];
  const streams = [receive(one, '/test.Test/Watch'), receive(two, '/test.Test/Watch')];
  const slow = one.unary('/test.Test/Slow', Buffer.alloc(0));
  await begun.promise;
  await eventually(() => calls.length === 2);
  const port = portOf(server);
  let drained = false;
  const drain = server.drain(60_000).then(() => {
    drained = true;
  });
  for (const stream of streams) assert.equal(await stream.ended, undefined);
  assert.deepEqual(
    calls.map((call) => call.signal.reason),
    ['the server drained', 'the server drained'],
  );
  const late = new GrpcClient({ address: { host: '127.0.0.1', port }, security: 'plaintext' });
  await assert.rejects(late.unary('/test.Test/Echo', Buffer.alloc(0)), { code: 'unavailable' });
  await late.close();
  assert.equal(drained, false, 'a call is still in hand');
  finish.resolve(Buffer.from('done'));
  assert.equal(Buffer.from(await slow).toString(), 'done');
  await drain;
  assert.equal(server.connections, 0);
});

test('what does not end by the deadline of a drain is cut', async (t) => {
  const methods: Methods = {
    '/test.Test/Never': { kind: 'unary', handle: () => Promise.withResolvers<Uint8Array>().promise },
  };
  const server = await aGrpcServer(t, { methods });
  const client = aGrpcClient(t, server);
  const call = client.unary('/test.Test/Never', Buffer.alloc(0));
  await eventually(() => server.connections === 1);
  await Promise.all([assert.rejects(call, GatehouseError), server.drain(50)]);
  assert.equal(server.connections, 0);
});

test('a port in use is reported with its address and the setting to change', async (t) => {
  const server = await aGrpcServer(t, { methods: echo });
  await assert.rejects(
    aGrpcServer(t, {
      methods: echo,
      address: { host: '127.0.0.1', port: portOf(server) },
      setting: 'GATEHOUSE_GRPC_ADDR',
    }),
    {
      code: 'failed-precondition',
      message: `${server.address} is in use: end the process that listens there, or choose another (GATEHOUSE_GRPC_ADDR)`,
    },
  );
  await assert.rejects(
    aGrpcServer(t, {
      methods: echo,
      address: { host: '192.0.2.1', port: 0 },
      setting: 'GATEHOUSE_GRPC_ADDR',
    }),
    { message: /^192\.0\.2\.1:0 is not an address of this machine: .*GATEHOUSE_GRPC_ADDR/ },
  );
});

test('plaintext is served on loopback only', async (t) => {
  await assert.rejects(aGrpcServer(t, { methods: echo, address: { host: '0.0.0.0', port: 0 } }), {
    code: 'invalid-argument',
    message: /plaintext gRPC is served on loopback only/,
  });
});

test('connections and calls are counted', async (t) => {
  const metrics = new Metrics('test');
  const { methods, calls } = keeping();
  const client = aGrpcClient(t, await aGrpcServer(t, { methods, metrics }));
  await client.unary('/test.Test/Echo', Buffer.alloc(0));
  const received = receive(client, '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  const text = await metrics.text();
  assert.match(text, /grpc_server_connections\{service="test"\} 1/);
  assert.match(text, /grpc_server_streams\{grpc_service="test.Test",grpc_method="Watch",service="test"\} 1/);
  assert.match(
    text,
    /grpc_server_handled_total\{[^}]*grpc_method="Echo",grpc_type="unary",grpc_code="OK"[^}]*\} 1/,
  );
  received.cancel();
  await eventually(() => calls[0]?.signal.aborted === true);
  assert.match(
    await metrics.text(),
    /grpc_server_handled_total\{[^}]*grpc_method="Watch"[^}]*grpc_code="Canceled"[^}]*\} 1/,
  );
});
