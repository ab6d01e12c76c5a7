import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aGrpcClient, aGrpcServer, eventually, portOf } from '@gatehouse/testing/grpc';
import { garbage, http2Preface, sendAndClose } from '@gatehouse/testing/hostile/garbage';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import fc from 'fast-check';
import { createLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { asBuffer } from './grpc-js-calls.ts';
import type { Methods } from './transport.ts';

const methods: Methods = {
  '/test.Test/Echo': { kind: 'unary', handle: ({ request }) => request },
  '/test.Test/Watch': { kind: 'server-stream', open: (call) => void call.send(Buffer.from('row')) },
};

const root = anAuthority();
const tls = { material: aTlsMaterial(root, { name: 'a.mesh' }) };
const security = { serverName: 'a.mesh', trustAnchors: root.pem };

const aSocket = (t: TestContext, server: { readonly address: string }): Socket => {
  const socket = connect({ host: '127.0.0.1', port: portOf(server) });
  t.after(() => socket.destroy());
  return socket;
};

test('bytes that are no HTTP/2 end their connection only', async (t) => {
  for (const options of [{}, { tls }]) {
    const server = await aGrpcServer(t, { methods, ...options });
    assert.equal(garbage.length, 10);
    for (const [, bytes] of garbage) await sendAndClose(aSocket(t, server), Buffer.from(bytes, 'latin1'));
    await eventually(() => server.connections === 0);
    const client = aGrpcClient(t, server, 'tls' in options ? security : 'plaintext');
    assert.equal((await client.unary('/test.Test/Echo', Buffer.from('alive'))).length, 5);
  }
});

test('bytes that are no HTTP/2 end their connection after a good handshake too', async (t) => {
  const server = await aGrpcServer(t, { methods, tls });
  for (const [, bytes] of garbage) {
    const socket = connectTls({
      host: '127.0.0.1',
      port: portOf(server),
      servername: 'a.mesh',
      ca: root.pem,
      checkServerIdentity: () => undefined,
    });
    t.after(() => socket.destroy());
    await sendAndClose(socket, Buffer.from(bytes, 'latin1'));
  }
  await eventually(() => server.connections === 0);
  assert.equal(
    (await aGrpcClient(t, server, security).unary('/test.Test/Echo', Buffer.from('alive'))).length,
    5,
  );
});

test('random frames after the preface never take the server down', async (t) => {
  const server = await aGrpcServer(t, { methods });
  const frame = fc
    .tuple(fc.nat(12), fc.nat(255), fc.nat(5), fc.uint8Array({ maxLength: 40 }))
    .map(([type, flags, stream, payload]) =>
      Buffer.concat([Uint8Array.of(0, 0, payload.length, type, flags, 0, 0, 0, stream), payload]),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 8 }), (frames) =>
      sendAndClose(
        aSocket(t, server),
        Buffer.concat([Buffer.from(http2Preface), Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0), ...frames]),
      ),
    ),
    { numRuns: 150 },
  );
  assert.equal((await aGrpcClient(t, server).unary('/test.Test/Echo', Buffer.from('alive'))).length, 5);
});

test('odd requests are answered or reset, and the connection goes on', async (t) => {
  const server = await aGrpcServer(t, { methods });
  const session = connectHttp2(`http://${server.address}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc' };
  const cases: [string, OutgoingHttpHeaders, Buffer][] = [
    ['GET', { ':method': 'GET', ':path': '/test.Test/Echo' }, Buffer.alloc(0)],
    ['no content type', { ':method': 'POST', ':path': '/test.Test/Echo' }, Buffer.alloc(5)],
    ['an unknown path with odd bytes', { ...grpc, ':path': '/\u00e9\u00ff%zz\u007f' }, Buffer.alloc(5)],
    ['an empty path', { ...grpc, ':path': '' }, Buffer.alloc(5)],
    ['a path of 8 KiB', { ...grpc, ':path': `/${'x'.repeat(8_000)}` }, Buffer.alloc(5)],
    ['a bad binary header', { ...grpc, ':path': '/test.Test/Echo', 'x-bin': '%%%' }, Buffer.alloc(5)],
    [
      'a header name that gRPC does not allow',
      { ...grpc, ':path': '/test.Test/Echo', 'x!y': '1' },
      Buffer.alloc(5),
    ],
    ['a bad timeout', { ...grpc, ':path': '/test.Test/Echo', 'grpc-timeout': 'soon' }, Buffer.alloc(5)],
    [
      'an overflowing timeout',
      { ...grpc, ':path': '/test.Test/Echo', 'grpc-timeout': '99999999H' },
      Buffer.alloc(5),
    ],
    [
      'an unknown encoding',
      { ...grpc, ':path': '/test.Test/Echo', 'grpc-encoding': 'zstd' },
      Buffer.from([1, 0, 0, 0, 1, 0]),
    ],
    [
      'gzip that is none',
      { ...grpc, ':path': '/test.Test/Echo', 'grpc-encoding': 'gzip' },
      Buffer.from([1, 0, 0, 0, 1, 0]),
    ],
    ['no message', { ...grpc, ':path': '/test.Test/Echo' }, Buffer.alloc(0)],
    ['half a message', { ...grpc, ':path': '/test.Test/Echo' }, Buffer.from([0, 0, 0, 0, 9, 1])],
    ['two messages', { ...grpc, ':path': '/test.Test/Echo' }, Buffer.alloc(10)],
    ['a length of 4 GiB', { ...grpc, ':path': '/test.Test/Watch' }, Buffer.from([0, 255, 255, 255, 255, 1])],
  ];
  assert.equal(cases.length, 15);
  for (const [title, headers, body] of cases) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = session.request(headers);
    stream.on('error', () => {});
    stream.on('close', resolve);
    stream.resume();
    stream.end(body);
    await promise;
    assert.equal(session.destroyed, false, title);
  }
  assert.equal(server.streams, 0);
  assert.equal((await aGrpcClient(t, server).unary('/test.Test/Echo', Buffer.from('alive'))).length, 5);
});

test('refused connections are counted, and logged at a bounded rate', async (t) => {
  const lines: string[] = [];
  const log = createLog({
    service: 'test',
    level: 'info',
    format: 'json',
    to: { write: (line) => void lines.push(line) },
  });
  const metrics = new Metrics('test');
  const server = await aGrpcServer(t, { methods, tls, log, metrics });
  for (let count = 0; count < 20; count += 1) await sendAndClose(aSocket(t, server), Buffer.from('garbage'));
  await eventually(() => server.connections === 0);
  assert.match(
    await metrics.text(),
    /grpc_server_connections_refused_total\{reason="no-tls",service="test"\} 20/,
  );
  assert.equal(lines.length, 10);
  for (const line of lines) assert.match(line, /a connection ended before a call/);
  assert.match(await metrics.text(), /grpc_server_log_lines_suppressed_total\{service="test"\} 10/);
  await server.drain(0);
  assert.match(lines[10] ?? '', /"leftOut":10,"addresses":1/);
});

test('a client that connects to every replica and calls one is counted, and nobody is warned of it', async (t) => {
  const log = new RecordingLog();
  const metrics = new Metrics('test');
  const server = await aGrpcServer(t, { methods, log, metrics });
  const session = connectHttp2(`http://${server.address}`);
  await once(session, 'remoteSettings');
  session.close();
  await eventually(() => server.connections === 0);
  await sendAndClose(aSocket(t, server), Buffer.from('garbage'));
  await eventually(() => server.connections === 0);
  const text = await metrics.text();
  for (const reason of ['unused', 'no-call'])
    assert.match(text, new RegExp(`connections_refused_total\\{reason="${reason}",service="test"\\} 1`));
  assert.deepEqual(log.lines('warn'), ['a connection ended before a call']);
});

test('a client that does not answer pings is cut off', async (t) => {
  const server = await aGrpcServer(t, { methods, ping: { everyMs: 20, withinMs: 20 } });
  const socket = aSocket(t, server);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  socket.write(Buffer.concat([Buffer.from(http2Preface), Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)]));
  await closed;
  await eventually(() => server.connections === 0);
});

test('a connection that says nothing is waited for a bounded time, and takes no place in a handshake', async (t) => {
  const metrics = new Metrics('test');
  const server = await aGrpcServer(t, {
    methods,
    tls,
    metrics,
    acceptLimits: { silent: 2, helloMs: 500, atOnce: 1, waiting: 1 },
  });
  const closed: number[] = [];
  for (const index of [0, 1, 2]) {
    const silent = aSocket(t, server);
    silent.on('error', () => {});
    silent.on('close', () => closed.push(index));
    silent.resume();
    await eventually(() => server.connections >= Math.min(index + 1, 2));
  }
  const client = aGrpcClient(t, server, security);
  assert.equal(asBuffer(await client.unary('/test.Test/Echo', Buffer.from('alive'))).toString(), 'alive');
  await eventually(() => closed.length === 3);
  assert.equal(closed[0], 0, 'when there are too many, the oldest goes first');
  const text = await metrics.text();
  assert.match(text, /connections_refused_total\{reason="too-many-silent",service="test"\} [12]\n/);
  assert.match(text, /connections_refused_total\{reason="silent",service="test"\} [12]\n/);
});
