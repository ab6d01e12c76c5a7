import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { HttpRoute } from '@gatehouse/core/inbound/inbound-server';
import { anAuthority } from '../certificates.ts';
import type { WorkloadAnswer } from '../demo/workload.ts';
import { callDirect, type DirectCall } from './call.ts';
import { aBackend, anybody, call, openHttp2, request } from './test-backend.ts';
import { admit, aRow, clientCertificate, podName, someAddress, TestMesh } from './test-mesh.ts';

const named = (name: string) => ({ kind: 'default', name }) as const;

const route = (name: string, path: string, more: Partial<HttpRoute> = {}): HttpRoute => ({
  meta: named(name),
  hosts: [],
  authorizations: [],
  rules: [
    { matches: [{ path: { kind: 'prefix', value: path }, headers: [], queryParams: [] }], filters: [] },
  ],
  ...more,
});

test('identity and address must both fit: six clients of a label source', async (t) => {
  const [frontend, intruder] = [someAddress(), someAddress()];
  const { mesh, backend } = await aBackend(t, aRow({ authorizations: [admit(frontend)] }));
  const own = clientCertificate(mesh.issuer);
  const cases: [string, Partial<DirectCall> & Pick<DirectCall, 'from'>, number | 'closed'][] = [
    ['certificate and address', { from: frontend, tls: own }, 200],
    ['the certificate from elsewhere', { from: intruder, tls: own }, 403],
    ['the address without TLS', { from: frontend }, 403],
    ['the address with TLS and no certificate', { from: frontend, tls: { name: podName } }, 403],
    ['another identity', { from: frontend, tls: clientCertificate(mesh.issuer, 'other.demo.example') }, 403],
    ['a certificate of another root', { from: frontend, tls: clientCertificate(anAuthority()) }, 'closed'],
  ];
  assert.equal(cases.length, 6);
  for (const [title, options, expected] of cases) assert.equal(await call(backend, options), expected, title);
  const refused = await backend.seen('inbound-refused');
  assert.match(refused.reason, /does not verify/);
});

test('requests are judged by path, method and header, exactly as they were written: nine requests', async (t) => {
  const from = someAddress();
  const rows = aRow({
    protocol: {
      kind: 'detect',
      timeoutMs: 10_000,
      routes: [
        route('api', '/api', {
          authorizations: [anybody],
          rules: [
            {
              matches: [
                {
                  path: { kind: 'prefix', value: '/api' },
                  method: 'GET',
                  headers: [{ name: 'x-tenant', kind: 'exact', value: 'blue' }],
                  queryParams: [],
                },
              ],
              filters: [],
            },
          ],
        }),
        route('guard', '/', {
          rules: [
            {
              matches: [{ path: { kind: 'regex', value: '.*/\\.\\.(/.*)?' }, headers: [], queryParams: [] }],
              filters: [],
            },
          ],
        }),
        route('closed', '/closed'),
      ],
    },
  });
  const { backend } = await aBackend(t, rows);
  const blue = { 'x-tenant': 'blue' };
  const cases: [string, string, Record<string, string>, number][] = [
    ['GET', '/api/x', blue, 200],
    ['GET', '/api?x=1', blue, 200],
    ['GET', '/api/x', {}, 404],
    ['GET', '/api/x', { 'x-tenant': 'red' }, 404],
    ['POST', '/api/x', blue, 404],
    ['GET', '/apix', blue, 404],
    ['GET', '/api/../closed', blue, 403],
    ['GET', '/closed/x', blue, 403],
    ['GET', '/', blue, 404],
  ];
  assert.equal(cases.length, 9);
  for (const [method, path, headers, expected] of cases) {
    const url = `http://backend.demo:8080${path}`;
    assert.equal(await call(backend, { from, method, url, headers }), expected, `${method} ${path}`);
  }
});

test('no application sees a fragment, of which policy sees nothing, and bytes that stand in no URI reach neither', async (t) => {
  const from = someAddress();
  const routes = [route('api', '/api', { authorizations: [admit(from)] })];
  const rows = aRow({ protocol: { kind: 'detect', timeoutMs: 10_000, routes } });
  const { mesh, backend } = await aBackend(t, rows);
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  const seen = (body: string): string => (JSON.parse(body) as WorkloadAnswer).path;
  const tls = clientCertificate(mesh.issuer);
  for (const path of ['/api#/../admin', '/api?x=1#?y=2']) {
    const expected = path.split('#', 1)[0];
    const url = `http://backend.demo:8080${path}`;
    const http1 = await callDirect({ to: { host: backend.ip, port: 8080 }, from, tls, url });
    assert.ok(http1.kind === 'answered' && http1.status === 200, path);
    assert.equal(seen(http1.body), expected);
    const http2 = await request(session, { ':path': path });
    assert.deepEqual([http2.status, seen(http2.body)], [200, expected]);
  }
  assert.equal(await call(backend, { from, tls, url: 'http://backend.demo:8080/api<x' }), 400);
  await assert.rejects(request(session, { ':path': '/api<x' }), /PROTOCOL_ERROR/);
});

test('requests above a limit are 429 on a connection that stays, until the bucket fills or a message comes', async (t) => {
  const from = someAddress();
  const rateLimit = { meta: named('limit'), total: undefined, identity: 2, overrides: [] };
  const limited = (name: string) =>
    aRow({
      protocol: { kind: 'detect', timeoutMs: 10_000, routes: [], rateLimit },
      authorizations: [anybody],
      meta: named(name),
    });
  const { mesh, backend, push } = await aBackend(t, limited('first'));
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  const statuses = async (...asked: readonly Record<string, string>[]): Promise<readonly unknown[]> => {
    const seen: unknown[] = [];
    for (const headers of asked) seen.push((await request(session, headers)).status);
    return seen;
  };
  assert.deepEqual(await statuses({}, {}, {}), [200, 200, 429]);
  const plain = await call(backend, { from });
  assert.equal(plain, 200, 'a client without an identity is not counted with one that has one');
  const grpc = await request(session, { ':method': 'POST', 'content-type': 'application/grpc' });
  assert.deepEqual([grpc.status, grpc.head['grpc-status']], [200, '8']);
  mesh.nowMs = 500;
  assert.deepEqual(await statuses({}, {}), [200, 429]);
  await push(limited('second'));
  assert.deepEqual(await statuses({}, {}, {}), [200, 200, 429]);
});

test('mesh clients are told why, in the words of their protocol; others are not', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t);
  const session = await openHttp2(mesh, { backend, from });
  t.after(() => session.destroy());
  const plain = await request(session);
  assert.equal(plain.status, 403);
  assert.equal(plain.body, '');
  assert.equal(plain.head['content-length'], '0');
  assert.match(String(plain.head['l5d-proxy-error']), /unauthorized/);
  const grpc = await request(session, { ':method': 'POST', 'content-type': 'application/grpc+proto' });
  assert.equal(grpc.status, 200);
  assert.equal(grpc.head['grpc-status'], '7');
  assert.match(String(grpc.head['grpc-message']), /unauthorized/);
  const outside = await callDirect({ to: { host: backend.ip, port: 8080 }, from, url: 'http://b/' });
  assert.equal(outside.kind === 'answered' && outside.status, 403);
  assert.equal(outside.kind === 'answered' && outside.headers['l5d-proxy-error'], undefined);
});

test('the application is told who the client is, and never by the client itself', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t, aRow({ authorizations: [anybody] }));
  const forged = { 'l5d-client-id': 'admin', connection: 'close, l5d-client-id' };
  const seenBy = async (tls: DirectCall['tls']): Promise<WorkloadAnswer> => {
    const outcome = await callDirect({
      to: { host: backend.ip, port: 8080 },
      from,
      url: 'http://backend.demo:8080/',
      headers: forged,
      ...(tls === undefined ? {} : { tls }),
    });
    assert.ok(outcome.kind === 'answered');
    return JSON.parse(outcome.body) as WorkloadAnswer;
  };
  assert.equal((await seenBy(clientCertificate(mesh.issuer))).headers['l5d-client-id'], podName);
  assert.equal((await seenBy({ name: podName })).headers['l5d-client-id'], undefined);
  assert.equal((await seenBy(undefined)).headers['l5d-client-id'], undefined);
});

test('a message that cannot be read closes the port to everybody, localhost included', async (t) => {
  const { mesh, backend } = await aBackend(t, aRow());
  assert.equal(await call(backend, { from: '127.0.0.1' }), 200, 'every row admits localhost');
  mesh.push('backend', 8080, Uint8Array.of(0xff, 0xff));
  await backend.seen('row-invalid');
  assert.equal(await call(backend, { from: '127.0.0.1' }), 403);
});

test('until the first row the environment decides: deny closes every connection', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  assert.equal(await call(backend, { from: '127.0.0.1' }), 'closed');
  const open = await mesh.pod('open', {
    ports: [8080],
    env: { LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'all-unauthenticated' },
  });
  assert.equal(await call(open, { from: someAddress() }), 200);
});

test('InvalidArgument ends the watch of a port for good, and what it had stays in force', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t, aRow({ authorizations: [anybody] }));
  mesh.refuse('backend', 8080, { code: 'invalid-argument', message: 'no such port' });
  const lost = await backend.seen('stream-lost', ({ target }) => target === '8080');
  assert.equal(lost.retryMs, undefined);
  assert.equal(await call(backend, { from }), 200);
});

test('garbage ends its own connection and nothing else: seven openings', async (t) => {
  const from = someAddress();
  const { backend } = await aBackend(t, aRow({ authorizations: [anybody] }));
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const openings: (string | Buffer)[] = [
    Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0]),
    Buffer.concat([Buffer.from([0x16, 3, 1, 0x1f, 0xff]), Buffer.alloc(100)]),
    `GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`,
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    Buffer.concat([Buffer.from(preface), Buffer.alloc(200, 0xff)]),
    'GET',
  ];
  assert.equal(openings.length, 7);
  for (const opening of openings) {
    const socket = connectTcp({ host: backend.ip, port: 8080, localAddress: from });
    socket.on('error', () => {}).on('data', () => {});
    socket.end(opening);
    await once(socket, 'close');
  }
  assert.equal(await call(backend, { from }), 200);
});

test('nothing is kept of a client that is gone: eight ways to leave', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t, aRow({ authorizations: [admit(from)] }));
  const { certificate: cert, key } = clientCertificate(mesh.issuer);
  const open = (): number => backend.proxy.state().ports[0]?.connections.length ?? 0;
  const ways = ['plain', 'tls'].flatMap((how) =>
    ['http1', 'http2'].flatMap((version) => ['end', 'reset'].map((leave) => [how, version, leave] as const)),
  );
  assert.equal(ways.length, 8);
  for (const [how, version, leave] of ways) {
    const raw = connectTcp({ host: backend.ip, port: 8080, localAddress: from });
    const options = { socket: raw, servername: podName, cert, key, rejectUnauthorized: false };
    const socket = how === 'tls' ? connectTls(options) : raw;
    for (const one of [raw, socket]) one.on('error', () => {});
    if (version === 'http2') {
      const session = connectHttp2('http://backend.demo', { createConnection: () => socket });
      session.on('error', () => {});
      await request(session);
    } else {
      socket.write('GET / HTTP/1.1\r\nhost: backend.demo\r\n\r\n');
      await once(socket, 'data');
    }
    assert.equal(open(), 1, `${how} ${version}`);
    if (leave === 'end') socket.destroy();
    else raw.resetAndDestroy();
    while (open() > 0) await setImmediate();
  }
});
