import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { anAuthority, aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import { policyName as name } from '@gatehouse/testing/replica-set';
import { secureContextOptions, type TlsMaterial } from '../tls/material.ts';
import { PeerClient, type PeerClientOptions, type PeerReply } from './peer-client.ts';

const other = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';

/** A server that listens where a peer should. */
const aServer = async (
  t: TestContext,
  material: TlsMaterial,
  answer: RequestListener,
): Promise<{ readonly port: number; readonly shown: Buffer[]; readonly sockets: Set<Socket> }> => {
  const shown: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      ...secureContextOptions(material.trustAnchors, material),
      requestCert: true,
      rejectUnauthorized: false,
    },
    answer,
  );
  server.on('secureConnection', (socket: TLSSocket) => {
    shown.push(socket.getPeerX509Certificate()?.raw ?? Buffer.of());
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, shown, sockets };
};

const aClient = (
  t: TestContext,
  root: TestAuthority,
  options: Partial<PeerClientOptions> = {},
): { readonly client: PeerClient; readonly material: TlsMaterial } => {
  const client = new PeerClient({ name, ...options });
  t.after(() => client.close());
  const material = aTlsMaterial(root, { name });
  client.replaceTlsMaterial(material);
  return { client, material };
};

const reasonOf = (reply: PeerReply): string => (reply.kind === 'answered' ? 'answered' : reply.reason);

const ask = (client: PeerClient, port: number): Promise<PeerReply> =>
  client.get({ host: '127.0.0.1', port }, '/internal/v1/things?limit=1');

const hello: RequestListener = (_, response) => void response.end('{"hello":1}');

test('a peer of our own name that leads to our anchors is asked, and shown our leaf', async (t) => {
  const root = anAuthority();
  const paths: unknown[] = [];
  const { port, shown } = await aServer(t, aTlsMaterial(root, { name }), (request, response) => {
    paths.push(request.url, request.headers.authorization);
    hello(request, response);
  });
  const { client, material } = aClient(t, root);
  assert.deepEqual(await ask(client, port), { kind: 'answered', body: { hello: 1 } });
  assert.deepEqual(paths, ['/internal/v1/things?limit=1', undefined]);
  assert.deepEqual(shown, [Buffer.from(material.chain[0] ?? [])]);
});

const impostors: readonly (readonly [string, (root: TestAuthority) => TlsMaterial, RegExp])[] = [
  ['another identity of the mesh', (root) => aTlsMaterial(root, { name: other }), /is for `default\.demo\./],
  ['a foreign authority', (root) => aTlsMaterial(anAuthority({ name: root.name }), { name }), /certificate/],
  [
    'an expired certificate',
    (root) =>
      aTlsMaterial(root, { name, notBefore: Date.now() - 7_200_000, notAfter: Date.now() - 3_600_000 }),
    /expired/,
  ],
];

test('there are 3 impostors', () => assert.equal(impostors.length, 3));
for (const [what, material, reason] of impostors) {
  test(`a server with ${what} is told nothing`, async (t) => {
    const root = anAuthority();
    let requests = 0;
    const { port } = await aServer(t, material(root), () => {
      requests += 1;
    });
    const { client } = aClient(t, root);
    const reply = await ask(client, port);
    assert.equal(reply.kind, 'unreachable');
    assert.match(reasonOf(reply), reason);
    assert.equal(requests, 0);
  });
}

const bad: readonly (readonly [string, RequestListener, PeerReply['kind'], RegExp])[] = [
  [
    'says no',
    (_, response) => void response.writeHead(403).end('{"detail":"go away"}'),
    'refused',
    /^it answered 403: go away$/,
  ],
  [
    'fails without a word',
    (_, response) => void response.writeHead(500).end('<html>'),
    'refused',
    /^it answered 500$/,
  ],
  [
    'leads elsewhere',
    (_, response) => void response.writeHead(302, { location: 'https://elsewhere/' }).end(),
    'refused',
    /302/,
  ],
  ['sends no JSON', (_, response) => void response.end('hello'), 'garbage', /not JSON/],
  [
    'sends more than fits',
    (_, response) => void response.end(JSON.stringify('x'.repeat(2_000))),
    'garbage',
    /larger than 1000 bytes/,
  ],
  [
    'sends without end',
    (_, response) => void response.write('"'),
    'timeout',
    /no answer from .* within 300 ms/,
  ],
  ['says nothing', () => {}, 'timeout', /within 300 ms/],
  ['hangs up', (request) => void request.socket.destroy(), 'unreachable', /./],
];

test('there are 8 bad peers', () => assert.equal(bad.length, 8));
for (const [what, answer, kind, reason] of bad) {
  test(`a peer that ${what} costs its own part only`, async (t) => {
    const root = anAuthority();
    const { port } = await aServer(t, aTlsMaterial(root, { name }), answer);
    const { client } = aClient(t, root, { timeoutMs: 300, maxBytes: 1_000 });
    const reply = await ask(client, port);
    assert.equal(reply.kind, kind);
    assert.match(reasonOf(reply), reason);
  });
}

test('a peer that accepts connections and never begins a handshake is given up in time', async (t) => {
  const server = createTcpServer(() => {});
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { client } = aClient(t, anAuthority(), { timeoutMs: 300 });
  assert.equal((await ask(client, (server.address() as AddressInfo).port)).kind, 'timeout');
});

test('calls use a kept connection, until the leaf is renewed or the anchors are replaced', async (t) => {
  const root = anAuthority();
  const { port, shown } = await aServer(t, aTlsMaterial(root, { name }), hello);
  const { client } = aClient(t, root);
  await ask(client, port);
  await ask(client, port);
  assert.equal(shown.length, 1);

  const renewed = aTlsMaterial(root, { name });
  client.replaceTlsMaterial(renewed);
  await ask(client, port);
  assert.deepEqual(shown[1], Buffer.from(renewed.chain[0] ?? []));

  client.replaceTlsMaterial({ ...renewed, trustAnchors: anAuthority().pem });
  assert.equal((await ask(client, port)).kind, 'unreachable');
});

test('a kept connection that the peer has closed meanwhile is replaced', async (t) => {
  const root = anAuthority();
  const { port, shown, sockets } = await aServer(t, aTlsMaterial(root, { name }), hello);
  const { client } = aClient(t, root);
  await ask(client, port);
  for (const socket of sockets) socket.destroy();
  assert.equal((await ask(client, port)).kind, 'answered');
  assert.equal(shown.length, 2);
});

test('without a leaf nobody is asked', async () => {
  const client = new PeerClient({ name });
  assert.match(reasonOf(await ask(client, 1)), /no certificate yet/);
});

test('beyond so many calls at once, others wait within their own time', async (t) => {
  const root = anAuthority();
  let [now, most] = [0, 0];
  const { port } = await aServer(t, aTlsMaterial(root, { name }), (_, response) => {
    now += 1;
    most = Math.max(most, now);
    setImmediate(() => {
      now -= 1;
      response.end('{}');
    });
  });
  const { client } = aClient(t, root, { timeoutMs: 10_000 });
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(client, port)));
  assert.ok(replies.every(({ kind }) => kind === 'answered'));
  assert.ok(most <= 4, `${most} at once`);
});
