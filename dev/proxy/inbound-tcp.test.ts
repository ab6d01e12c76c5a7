import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { printHostPort } from '@gatehouse/core/host-port';
import { everywhere } from '@gatehouse/core/ip-network';
import { admit, aRow, clientCertificate, podName, someAddress, TestMesh, type TestPod } from './test-mesh.ts';

const anybody = {
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: { kind: 'default', name: 'all' },
} as const;
const opaque = { protocol: { kind: 'opaque' } } as const;
const raw = { protocol: { kind: 'tls' } } as const;

/** An application that greets first, as mail servers do, and then echoes. */
const anEcho = async (t: TestContext): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('hello ');
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return printHostPort({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
};

const aBackend = async (t: TestContext, row: ReturnType<typeof aRow>) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [5432], apps: [await anEcho(t)] });
  mesh.push('backend', 5432, row);
  await backend.seen('row', ({ port }) => port === 5432);
  return { mesh, backend };
};

const open = (backend: TestPod, from: string): Socket => {
  const socket = connect({ host: backend.ip, port: 5432, localAddress: from });
  socket.on('error', () => {});
  return socket;
};

/** Unlike `once`, it takes an error for just another end. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve());
  });

const readAll = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks).toString();
};

test('raw connections need what the server row asks: seven of them', async (t) => {
  const from = someAddress();
  const cases: [string, ReturnType<typeof aRow>, string, string][] = [
    ['opaque, admitted', aRow({ ...opaque, authorizations: [anybody] }), 'ping', 'hello ping'],
    ['opaque ports know no identity', aRow({ ...opaque, authorizations: [admit(from)] }), 'ping', ''],
    ['opaque, denied', aRow(opaque), 'ping', ''],
    ['detected as not HTTP, admitted', aRow({ authorizations: [anybody] }), 'ping\r\n', 'hello ping\r\n'],
    ['ended before anything could be told', aRow({ authorizations: [anybody] }), 'pi', 'hello pi'],
    ['detected as not HTTP, denied', aRow(), 'ping\r\n', ''],
    ['a port for TLS, spoken to raw', aRow({ ...raw, authorizations: [anybody] }), 'ping', 'hello ping'],
  ];
  assert.equal(cases.length, 7);
  for (const [title, row, sent, expected] of cases) {
    const { backend } = await aBackend(t, row);
    const socket = open(backend, from);
    socket.end(sent);
    assert.equal(await readAll(socket), expected, title);
  }
});

test('bytes that are not HTTP are closed on a port that speaks only HTTP', async (t) => {
  const { backend } = await aBackend(
    t,
    aRow({ protocol: { kind: 'http1', routes: [] }, authorizations: [anybody] }),
  );
  const socket = open(backend, someAddress());
  socket.write('\u0001\u0002\u0003\u0004');
  assert.match(await readAll(socket), /^(?:HTTP\/1.1 400 .*)?$/s);
});

test('an open raw connection is cut by the change that no longer admits it, and by no other', async (t) => {
  const from = someAddress();
  const { mesh, backend } = await aBackend(t, aRow({ ...raw, authorizations: [admit(from)] }));
  const { certificate: cert, key } = clientCertificate(mesh.issuer);
  const socket = connectTls({
    socket: open(backend, from),
    servername: podName,
    cert,
    key,
    ca: mesh.root.pem,
    checkServerIdentity: () => undefined,
  });
  socket.on('error', () => {});
  const talk = async (text: string): Promise<void> => {
    socket.write(text);
    let heard = '';
    while (!heard.endsWith(text)) heard += (await once(socket, 'data'))[0];
  };
  await talk('one');
  mesh.push('backend', 5432, aRow({ ...raw, authorizations: [admit(someAddress(), from)] }));
  await backend.seen('row', ({ port, row }) => port === 5432 && (row.authorizations[0] ?? '').includes(','));
  await talk('two');
  mesh.push('backend', 5432, aRow(raw));
  await closed(socket);
  const words = backend.events.flatMap((event) => (event.event === 'inbound-tcp' ? [event.verdict] : []));
  assert.deepEqual(words, ['allowed', 'terminated']);
});

test('TLS for another name is passed through unread', async (t) => {
  const { backend } = await aBackend(t, aRow({ authorizations: [anybody] }));
  const socket = connectTls({ socket: open(backend, someAddress()), servername: 'database.example' });
  socket.on('error', () => {});
  await closed(socket);
  const passed = await backend.seen('inbound-tcp');
  assert.deepEqual(passed.client.tls, 'opaque');
  assert.equal(passed.verdict, 'allowed');
});

test('a client whose application is away sees its connection closed', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [5432], apps: ['127.0.0.1:1'] });
  mesh.push('backend', 5432, aRow({ ...opaque, authorizations: [anybody] }));
  await backend.seen('row', ({ port }) => port === 5432);
  assert.equal(await readAll(open(backend, someAddress())), '');
});
