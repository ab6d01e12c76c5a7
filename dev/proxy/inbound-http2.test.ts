import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { aBackend, anybody, openHttp2, request } from './test-backend.ts';
import { admit, aRow, someAddress, TestMesh } from './test-mesh.ts';

test('a revocation denies the next request of an open HTTP/2 connection, and a grant admits it again', async (t) => {
  const from = someAddress();
  const granted = aRow({ authorizations: [admit(from)] });
  const { mesh, backend, push } = await aBackend(t, granted);
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  assert.equal((await request(session)).status, 200);
  await push(aRow());
  assert.equal((await request(session)).status, 403);
  await push(granted);
  assert.equal((await request(session)).status, 200);
  const seen = backend.events.flatMap((event) => (event.event === 'inbound-request' ? [event] : []));
  assert.deepEqual(
    seen.map(({ verdict }) => verdict),
    ['allowed', 'denied', 'allowed'],
  );
  assert.equal(new Set(seen.map(({ connection }) => connection)).size, 1);
});

test('a request body reaches the application whole, and a denied one does not break the connection', async (t) => {
  const from = someAddress();
  const { mesh, backend, push } = await aBackend(t);
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  const post = async (): Promise<unknown> => {
    const stream = session.request({ ':method': 'POST', ':path': '/upload', 'l5d-orig-proto': 'HTTP/1.1' });
    stream.end(Buffer.alloc(100_000, 'x'));
    const [head] = await once(stream, 'response');
    stream.resume();
    await once(stream, 'close');
    return head[':status'];
  };
  assert.equal(await post(), 403);
  await push(aRow({ authorizations: [admit(from)] }));
  assert.equal(await post(), 200);
});

test('an HTTP/2 request whose path is not a valid path is refused, for an HTTP/1 application would read another', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t, aRow({ authorizations: [anybody] }));
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  for (const path of ['http://other/admin', 'admin']) {
    await assert.rejects(request(session, { ':path': path }), /PROTOCOL_ERROR/, path);
  }
});

test('gRPC reaches an HTTP/2 application with its trailers', async (t) => {
  const app = createHttp2Server();
  app.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.pipe(stream);
  });
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(() => app.close());
  const address = app.address();
  assert.ok(address !== null && typeof address === 'object');
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080], apps: [`127.0.0.1:${address.port}`] });
  mesh.push('backend', 8080, aRow({ protocol: { kind: 'grpc', routes: [] }, authorizations: [anybody] }));
  await backend.seen('row', ({ port }) => port === 8080);
  const session = await openHttp2(mesh, { backend, from: someAddress() });
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/pkg.Service/Method',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const trailers = once(stream, 'trailers');
  stream.end('message');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), 'message');
  assert.equal((await trailers)[0]['grpc-status'], '0');
});
