import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { splice } from './splice.ts';

/** Two connected sockets. */
const aPair = async (t: TestContext): Promise<readonly [Socket, Socket]> => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [far] = await once(server, 'connection');
  server.close();
  for (const socket of [near, far]) socket.on('error', () => {});
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
};

/** client <-> [ours <-> ours] <-> app */
const aSplice = async (t: TestContext, head?: Buffer) => {
  const [[client, from], [to, app]] = await Promise.all([aPair(t), aPair(t)]);
  return { client, app, done: splice(from, to, head) };
};

const readAll = async (socket: Socket): Promise<number> => {
  // Not by `for await`, which destroys the socket at the end of what it reads.
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  await once(socket, 'end');
  return length;
};

test('what an end said before it closed arrives whole', async (t) => {
  const { client, app, done } = await aSplice(t);
  const size = 20_000_000;
  app.end(Buffer.alloc(size));
  app.once('finish', () => app.destroy());
  assert.equal(await readAll(client), size);
  client.destroy();
  await done;
});

test('one direction may end while the other goes on', async (t) => {
  const { client, app, done } = await aSplice(t, Buffer.from('head '));
  client.end('question');
  assert.equal(await readAll(app), 'head question'.length);
  app.end('answer');
  assert.equal(await readAll(client), 'answer'.length);
  await done;
});

test('an end that is cut cuts the other', async (t) => {
  const { client, app, done } = await aSplice(t);
  app.resume();
  client.resetAndDestroy();
  await once(app, 'end');
  await done;
});
