import assert from 'node:assert/strict';
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import { GrpcClient } from './client.ts';
import type { Methods, StreamCall } from './transport.ts';

const echo: Methods = { '/test.Test/Echo': { kind: 'unary', handle: ({ request }) => request } };

const call = (client: GrpcClient): Promise<Uint8Array> =>
  client.unary('/test.Test/Echo', Buffer.from('hello'));

/** An HTTP/2 server that answers every request with what the test says. */
const aRawServer = async (
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<{ address: string }> => {
  const server = createHttp2Server();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      answer(stream, headers);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const bound = server.address();
  assert.ok(bound !== null && typeof bound !== 'string');
  return { address: `127.0.0.1:${bound.port}` };
};

test('the connection is shared by calls, and made again by the first call after it was lost', async (t) => {
  const first = await aGrpcServer(t, { methods: echo });
  const client = aGrpcClient(t, first);
  await Promise.all([call(client), call(client), call(client)]);
  assert.equal(first.connections, 1);
  await first.drain(0);
  await assert.rejects(call(client), {
    code: 'unavailable',
    message: /^no connection to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  });
  const second = await aGrpcServer(t, { methods: echo, address: { host: '127.0.0.1', port: portOf(first) } });
  await call(client);
  assert.equal(second.connections, 1);
});

test('a server that does not accept in time is unavailable', async (t) => {
  // Accepts, and says nothing: a TLS handshake that never ends.
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const bound = silent.address();
  assert.ok(bound !== null && typeof bound !== 'string');
  const client = new GrpcClient({
    address: { host: '127.0.0.1', port: bound.port },
    security: { serverName: 'a.mesh', trustAnchors: '' },
    connectTimeoutMs: 20,
  });
  await assert.rejects(call(client), { code: 'unavailable', message: /not connected within 20 ms/ });
  await client.close();
});

test('answers that are not gRPC become the status that gRPC gives them', async (t) => {
  const grpc = { ':status': 200, 'content-type': 'application/grpc' };
  const cases: [string, (stream: ServerHttp2Stream) => void, { code: string; message: RegExp }][] = [
    [
      'HTTP 404',
      (s) => s.respond({ ':status': 404 }, { endStream: true }),
      { code: 'unimplemented', message: /HTTP 404/ },
    ],
    [
      'HTTP 503',
      (s) => s.respond({ ':status': 503 }, { endStream: true }),
      { code: 'unavailable', message: /HTTP 503/ },
    ],
    [
      'no status',
      (s) => s.respond(grpc, { endStream: true }),
      { code: 'unavailable', message: /without a status/ },
    ],
    ['REFUSED_STREAM', (s) => s.close(7), { code: 'unavailable', message: /refused/ }],
    ['CANCEL', (s) => s.close(8), { code: 'cancelled', message: /cancelled/ }],
    ['ENHANCE_YOUR_CALM', (s) => s.close(11), { code: 'resource-exhausted', message: /reset/ }],
    ['INTERNAL_ERROR', (s) => s.close(2), { code: 'internal', message: /reset/ }],
    [
      'a lost connection',
      (s) => s.session?.destroy(),
      { code: 'unavailable', message: /connection was lost/ },
    ],
    [
      'OK without a message',
      (s) => s.respond({ ...grpc, 'grpc-status': '0' }, { endStream: true }),
      { code: 'internal', message: /without a message/ },
    ],
    [
      'a message that is too large',
      (s) => {
        s.respond(grpc);
        s.write(Buffer.from([0, 0, 0x40, 0, 1]));
      },
      { code: 'resource-exhausted', message: /4194305 bytes/ },
    ],
    [
      'a percent sign that encodes nothing',
      (s) => s.respond({ ...grpc, 'grpc-status': '5', 'grpc-message': '100%' }, { endStream: true }),
      { code: 'not-found', message: /^100%$/ },
    ],
    [
      'an unknown status',
      (s) => s.respond({ ...grpc, 'grpc-status': '2', 'grpc-message': 'what' }, { endStream: true }),
      { code: 'internal', message: /^what$/ },
    ],
  ];
  assert.equal(cases.length, 12);
  for (const [title, answer, expected] of cases) {
    const client = aGrpcClient(t, await aRawServer(t, answer));
    await assert.rejects(call(client), expected, title);
  }
});

test('requests look as the proxy makes them', async (t) => {
  const seen = Promise.withResolvers<IncomingHttpHeaders>();
  const server = await aRawServer(t, (stream, headers) => {
    seen.resolve(headers);
    stream.close(8);
  });
  await assert.rejects(call(aGrpcClient(t, server)), { code: 'cancelled' });
  assert.deepEqual(JSON.parse(JSON.stringify(await seen.promise)), {
    ':method': 'POST',
    ':scheme': 'http',
    ':authority': server.address,
    ':path': '/test.Test/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
});

test('cancelling before the connection is there opens nothing', async (t) => {
  const calls: StreamCall[] = [];
  const server = await aGrpcServer(t, {
    methods: {
      ...echo,
      '/test.Test/Watch': { kind: 'server-stream', open: (each) => void calls.push(each) },
    },
  });
  const client = aGrpcClient(t, server);
  receive(client, '/test.Test/Watch').cancel();
  await call(client);
  assert.equal(calls.length, 0);
  const aborted = AbortSignal.abort();
  await assert.rejects(client.unary('/test.Test/Echo', Buffer.alloc(0), { signal: aborted }), {
    code: 'cancelled',
  });
});

test('closing the client ends its calls', async (t) => {
  const calls: StreamCall[] = [];
  const server = await aGrpcServer(t, {
    methods: { '/test.Test/Watch': { kind: 'server-stream', open: (each) => void calls.push(each) } },
  });
  const client = aGrpcClient(t, server);
  const received = receive(client, '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  await client.close();
  assert.equal((await received.ended)?.code, 'cancelled');
  await assert.rejects(call(client), { code: 'cancelled', message: 'the client is closed' });
  await client.close();
});
