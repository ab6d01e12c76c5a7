import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Authorize } from '@gatehouse/dev/api-server/access-control';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { aPodProcess } from '@gatehouse/testing/port-forward-fixture';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { type KubeClient, openKubeClient } from './client.ts';

interface World {
  readonly server: FakeApiServer;
  readonly client: KubeClient;
  readonly to: (port: number, pod?: string) => Parameters<KubeClient['portForward']>[0];
}

/** A cluster over TLS with the pod demo/web on a node, and a user whose token is known. */
const started = async (
  t: TestContext,
  authorize: Authorize = () => true,
  token = 'sesame',
): Promise<World> => {
  const server = await startFakeApiServer({
    tls: true,
    tokens: new Map([['sesame', { username: 'ann', groups: [] }]]),
    authorize,
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'demo' },
        spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
        status: { podIP: '127.0.0.1' },
      },
    ],
  });
  t.after(() => server.stop());
  const file = join(await temporaryFolder(t), 'config');
  await server.kubeconfig(file, token);
  const client = await openKubeClient({ kubeconfig: file });
  t.after(() => client.close());
  const signal = AbortSignal.timeout(30_000);
  return { server, client, to: (port, pod = 'web') => ({ namespace: 'demo', pod, port, signal }) };
};

test('bytes go both ways, and the stream ends when the pod closes', async (t) => {
  const port = await aPodProcess(t, (socket) => socket.once('data', (said) => socket.end(`heard ${said}`)));
  const { client, to } = await started(t);
  const stream = await client.portForward(to(port));
  stream.write('hello');
  assert.equal((await stream.toArray()).join(''), 'heard hello');
});

test('ending the stream lets the pod go', async (t) => {
  const closed = Promise.withResolvers<void>();
  const port = await aPodProcess(t, (socket) => socket.once('close', () => closed.resolve()).resume());
  const { client, to } = await started(t);
  const stream = await client.portForward(to(port));
  stream.end('bye');
  stream.resume();
  await closed.promise;
});

test('a slow reader holds the pod back and misses nothing', async (t) => {
  const sent = randomBytes(8 * 1024 * 1024);
  let written = 0;
  const port = await aPodProcess(t, (socket) => {
    socket.end(sent, () => {
      written = sent.length;
    });
  });
  const { client, to } = await started(t);
  const stream = await client.portForward(to(port));
  const [first] = (await once(stream, 'data')) as [Buffer];
  stream.pause();
  const digest = createHash('sha256').update(first);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(stream.readableLength < 1024 * 1024, `${stream.readableLength} bytes are held here`);
  for await (const chunk of stream) digest.update(chunk);
  assert.equal(written, sent.length);
  assert.equal(digest.digest('hex'), createHash('sha256').update(sent).digest('hex'));
});

test('what kubelet says went wrong ends the stream', async (t) => {
  const { client, to } = await started(t);
  // Nobody can listen on a port below 1024 here by chance: 1 is refused.
  const stream = await client.portForward(to(1));
  await assert.rejects(stream.toArray(), {
    code: 'unavailable',
    message: /the port-forward to demo\/web:1 failed: error forwarding port 1 to pod: .*ECONNREFUSED/,
  });
});

test('what went wrong before anybody reads is told to the first who does', async (t) => {
  const { client, to } = await started(t);
  const stream = await client.portForward(to(1));
  await sleep(200);
  await assert.rejects(stream.toArray(), { code: 'unavailable', message: /ECONNREFUSED/ });
});

test('a refusal comes with its code and what the API server says', async (t) => {
  const forbidden = await started(
    t,
    ({ verb, resource }) => verb !== 'create' || resource?.subresource === '',
  );
  await assert.rejects(forbidden.client.portForward(forbidden.to(80)), {
    code: 'permission-denied',
    message: /\(403\): pods "web" is forbidden: \(needed are get and create on pods\/portforward/,
  });
  const stranger = await started(t, () => true, 'wrong');
  await assert.rejects(stranger.client.portForward(stranger.to(80)), {
    code: 'unauthenticated',
    message: /\(401\): Unauthorized/,
  });
  const { client, to } = await started(t);
  await assert.rejects(client.portForward(to(80, 'nobody')), {
    code: 'not-found',
    message: /forward to demo\/nobody:80 \(404\): pods "nobody" not found/,
  });
});

test('a connection that is cut is an error, not an end', async (t) => {
  const port = await aPodProcess(t, (socket) => socket.write('half'));
  const { server, client, to } = await started(t);
  const stream = await client.portForward(to(port));
  await once(stream, 'readable');
  stream.resume();
  await server.restart();
  await assert.rejects(once(stream, 'end'), { code: 'unavailable', message: /was cut/ });
});

test('an API server that is away is said to be, and an abort ends the attempt', async (t) => {
  const { server, client, to } = await started(t);
  await assert.rejects(client.portForward({ ...to(80), signal: AbortSignal.abort(new Error('enough')) }), {
    message: 'enough',
  });
  await server.stop();
  await assert.rejects(client.portForward(to(80)), { code: 'unavailable', message: /cannot be reached/ });
});
