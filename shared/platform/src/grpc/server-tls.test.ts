import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { aCertificate, aKey, anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aGrpcClient, aGrpcServer, eventually, portOf, receive } from '@gatehouse/testing/grpc';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { Client, credentials } from '@grpc/grpc-js';
import { Metrics } from '../metrics/metrics.ts';
import type { TlsMaterial } from '../tls/material.ts';
import { GrpcClient } from './client.ts';
import type { RunningGrpcServer } from './server.ts';
import type { Methods, StreamCall } from './transport.ts';

const name = 'policy.mesh.test';
const root = anAuthority({ name: 'root' });
const issuer = anAuthority({ name: 'issuer', issuedBy: root });
const material = (of = name): TlsMaterial => aTlsMaterial(issuer, { name: of, roots: [root] });
const security = { serverName: name, trustAnchors: root.pem };

const methods: Methods = {
  '/test.Test/Peer': {
    kind: 'unary',
    handle: ({ peer }) =>
      Buffer.from(JSON.stringify([peer.address, peer.identity && printIdentity(peer.identity)])),
  },
};

const peerSeen = async (client: GrpcClient): Promise<unknown> =>
  JSON.parse(Buffer.from(await client.unary('/test.Test/Peer', Buffer.alloc(0))).toString());

/** A TLS client of our own making: how the handshake ended. */
const handshake = async (t: TestContext, server: RunningGrpcServer, options: ConnectionOptions = {}) => {
  const { promise, resolve } = Promise.withResolvers<TLSSocket | Error>();
  const socket = connect({
    host: '127.0.0.1',
    port: portOf(server),
    servername: name,
    ca: root.pem,
    checkServerIdentity: () => undefined,
    ...options,
  });
  t.after(() => socket.destroy());
  // In TLS 1.3 the client is done before the server has spoken its last word, so its first settings frame is what counts.
  socket.once('data', () => resolve(socket));
  socket.once('error', resolve);
  socket.once('close', () => resolve(new Error('closed')));
  return promise;
};

test('a client without ALPN is served', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  assert.deepEqual(await peerSeen(aGrpcClient(t, server, security)), ['127.0.0.1', null]);
});

test('a client that offers h2 by ALPN is served', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const client = new Client(server.address, credentials.createSsl(Buffer.from(root.pem)), {
    'grpc.ssl_target_name_override': name,
  });
  t.after(() => client.close());
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  const pass = (bytes: Buffer): Buffer => bytes;
  client.makeUnaryRequest('/test.Test/Peer', pass, pass, Buffer.alloc(0), (error, answer) =>
    error === null ? resolve(answer) : reject(error),
  );
  assert.equal((await promise)?.toString(), '["127.0.0.1",null]');
});

test('handshakes end as the protocol says', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const cases: [string, ConnectionOptions, RegExp | 'served'][] = [
    ['no ALPN', {}, 'served'],
    ['ALPN h2', { ALPNProtocols: ['h2'] }, 'served'],
    ['ALPN h2 among others', { ALPNProtocols: ['http/1.1', 'h2'] }, 'served'],
    ['ALPN without h2', { ALPNProtocols: ['http/1.1'] }, /no application protocol/],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, /protocol version/],
    ['group P-384 only', { ecdhCurve: 'P-384' }, 'served'],
    ['ECDSA P-256 only, as the proxy lists it', { sigalgs: 'ecdsa_secp256r1_sha256' }, 'served'],
    ['RSA only', { sigalgs: 'rsa_pss_rsae_sha256' }, /handshake failure/],
  ];
  assert.equal(cases.length, 8);
  for (const [title, options, expected] of cases) {
    const ended = handshake(t, server, options);
    const outcome = await ended;
    if (expected === 'served') assert.ok(!(outcome instanceof Error), `${title}: ${outcome}`);
    else assert.match(String(outcome), expected, title);
  }
});

test('a session is never resumed, so every connection is verified again', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  let session: Buffer | undefined;
  const first = connect({
    host: '127.0.0.1',
    port: portOf(server),
    servername: name,
    ca: root.pem,
    checkServerIdentity: () => undefined,
  });
  t.after(() => first.destroy());
  first.on('session', (ticket) => {
    session = ticket;
  });
  await new Promise((resolve) => first.once('data', resolve));
  const second = await handshake(t, server, session === undefined ? {} : { session });
  assert.ok(!(second instanceof Error));
  assert.equal(second.isSessionReused(), false);
});

test('a client is known by the first DNS name of a certificate that verifies, and by nothing else', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const key = aKey();
  const publicKey = createPublicKey(key);
  const stranger = anAuthority({ name: 'another root' });
  const hour = 3_600_000;
  const leaf = (options: Parameters<typeof aCertificate>[1]) => [
    aCertificate(issuer, { publicKey, ...options }),
    ...issuer.chain,
  ];
  const cases: [string, readonly Uint8Array[], string | null][] = [
    ['one name', leaf({ dns: ['web.demo.mesh'] }), 'web.demo.mesh'],
    ['several', leaf({ dns: ['a.mesh', 'b.mesh'] }), 'a.mesh'],
    ['upper case', leaf({ dns: ['WEB.demo.mesh'] }), 'web.demo.mesh'],
    ['a URI before the name', leaf({ uris: ['spiffe://mesh/web'], dns: ['web.mesh'] }), 'web.mesh'],
    ['a URI only', leaf({ uris: ['spiffe://mesh/web'] }), null],
    ['another root', [aCertificate(stranger, { dns: ['web.mesh'], publicKey })], null],
    ['a chain without the issuer', leaf({ dns: ['web.mesh'] }).slice(0, 1), null],
    [
      'expired',
      leaf({ dns: ['web.mesh'], notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
      null,
    ],
    ['not valid yet', leaf({ dns: ['web.mesh'], notBefore: Date.now() + hour }), null],
    ['for servers only', leaf({ dns: ['web.mesh'], usages: ['server'] }), null],
  ];
  assert.equal(cases.length, 10);
  for (const [title, chain, identity] of cases) {
    const client = aGrpcClient(t, server, { ...security, certificate: { key, chain } });
    assert.deepEqual(await peerSeen(client), ['127.0.0.1', identity], title);
  }
});

test('an IPv4 client of a dual-stack listener is seen as IPv4', async (t) => {
  const server = await aGrpcServer(t, {
    tls: { material: material() },
    methods,
    address: { host: '::', port: 0 },
  });
  assert.match(server.address, /^\[::\]:\d+$/);
  assert.deepEqual(await peerSeen(aGrpcClient(t, server, security)), ['127.0.0.1', null]);
});

test('without a leaf connections are closed at once, which is no news, and work as soon as there is one', async (t) => {
  const metrics = new Metrics('test');
  const log = new RecordingLog();
  const server = await aGrpcServer(t, { tls: {}, methods, metrics, log });
  assert.match(String(await handshake(t, server)), /ECONNRESET|disconnected before secure/);
  await assert.rejects(peerSeen(aGrpcClient(t, server, security)), { code: 'unavailable' });
  assert.match(await metrics.text(), /connections_refused_total\{reason="no-certificate",service="test"\} 2/);
  assert.deepEqual(log.lines('warn'), []);
  server.replaceTlsMaterial(material());
  assert.deepEqual(await peerSeen(aGrpcClient(t, server, security)), ['127.0.0.1', null]);
});

test('a leaf is replaced under open streams, which go on', async (t) => {
  const calls: StreamCall[] = [];
  const server = await aGrpcServer(t, {
    tls: { material: material('old.mesh.test') },
    methods: {
      ...methods,
      '/test.Test/Watch': { kind: 'server-stream', open: (call) => void calls.push(call) },
    },
  });
  const old = aGrpcClient(t, server, { ...security, serverName: 'old.mesh.test' });
  const received = receive(old, '/test.Test/Watch');
  await eventually(() => calls.length === 1);
  calls[0]?.send(Buffer.from('before'));
  assert.equal(await received.message(0), 'before');

  server.replaceTlsMaterial(material('new.mesh.test'));
  const fresh = aGrpcClient(t, server, { ...security, serverName: 'new.mesh.test' });
  assert.deepEqual(await peerSeen(fresh), ['127.0.0.1', null]);
  await assert.rejects(peerSeen(aGrpcClient(t, server, { ...security, serverName: 'old.mesh.test' })), {
    code: 'unavailable',
    message: /the server is `new\.mesh\.test`, not `old\.mesh\.test`/,
  });
  calls[0]?.send(Buffer.from('after'));
  assert.equal(await received.message(1), 'after');
  assert.deepEqual(await peerSeen(old), ['127.0.0.1', null], 'new calls go over the old connection too');
});

test('clients are verified to the anchors in force when they connect', async (t) => {
  const other = anAuthority({ name: 'the next root' });
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const key = aKey();
  const certificate = {
    key,
    chain: [aCertificate(other, { dns: ['web.mesh'], publicKey: createPublicKey(key) })],
  };
  assert.deepEqual(await peerSeen(aGrpcClient(t, server, { ...security, certificate })), ['127.0.0.1', null]);
  server.replaceTlsMaterial({ ...material(), trustAnchors: `${root.pem}${other.pem}` });
  const after = aGrpcClient(t, server, { ...security, certificate });
  assert.deepEqual(await peerSeen(after), ['127.0.0.1', 'web.mesh']);
});

test('draining cuts TLS connections whose clients do not go away', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const silent = await handshake(t, server);
  assert.ok(!(silent instanceof Error));
  const closed = new Promise((resolve) => silent.once('close', resolve));
  await server.drain(20);
  await closed;
  assert.equal(server.connections, 0);
});

test('an HTTP/2 client that is not a gRPC client gets an answer', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const session = connectHttp2(`https://${server.address}`, {
    ca: root.pem,
    servername: name,
    checkServerIdentity: () => undefined,
  });
  t.after(() => session.destroy());
  session.on('error', () => {});
  const stream = session.request({ ':path': '/' });
  const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
  assert.equal(await status, 415);
});

test('the server is believed only with the expected name and a chain to the anchors', async (t) => {
  const server = await aGrpcServer(t, { tls: { material: material() }, methods });
  const stranger = anAuthority({ name: 'stranger' });
  await assert.rejects(peerSeen(aGrpcClient(t, server, { ...security, serverName: 'identity.mesh.test' })), {
    code: 'unavailable',
    message: /the server is `policy\.mesh\.test`, not `identity\.mesh\.test`/,
  });
  await assert.rejects(peerSeen(aGrpcClient(t, server, { ...security, trustAnchors: stranger.pem })), {
    code: 'unavailable',
    message: /unable to get|self.signed/,
  });
  const plaintext = new GrpcClient({
    address: { host: '127.0.0.1', port: portOf(server) },
    security: 'plaintext',
  });
  await assert.rejects(peerSeen(plaintext), { code: 'unavailable' });
  await plaintext.close();
});

test('a crowd is served as its handshakes end, one at a time', async (t) => {
  const server = await aGrpcServer(t, {
    tls: { material: material() },
    methods,
    acceptLimits: { atOnce: 1, waiting: 100, waitMs: 60_000, timeoutMs: 60_000 },
  });
  const clients = Array.from({ length: 30 }, () => aGrpcClient(t, server, security));
  assert.deepEqual(
    new Set(await Promise.all(clients.map(async (one) => String(await peerSeen(one))))),
    new Set(['127.0.0.1,']),
  );
});
