import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { pemOf } from '../../tls/material.ts';
import { HttpKubeClient } from './http-client.ts';
import { openInCluster } from './in-cluster.ts';

const never = new AbortController().signal;

/** The folder that kubelet mounts, and an API server that says whose token came. */
const aPod = async (t: TestContext) => {
  const folder = await temporaryFolder(t);
  const root = anAuthority();
  const serving = aTlsMaterial(root, { name: 'localhost' });
  const key = serving.key.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ key, cert: serving.chain.map(pemOf).join('') }, (request, response) =>
    response.end(request.headers.authorization),
  ).listen(0);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
  await write('token', 'first\n');
  await write('ca.crt', root.pem);
  await write('namespace', 'gatehouse');
  const { port } = server.address() as AddressInfo;
  const env = { KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: `${port}` };
  return { folder, env, write };
};

const asked = async (client: HttpKubeClient): Promise<string> =>
  (await client.request({ path: '/', signal: never })).body.toString();

test('a pod shows the token of its ServiceAccount to the server that its root certifies', async (t) => {
  const pod = await aPod(t);
  const access = await openInCluster(pod);
  const client = new HttpKubeClient(access);
  t.after(() => client.close());
  assert.equal(await asked(client), 'Bearer first');
  assert.deepEqual([access.namespace, await access.bearerToken()], ['gatehouse', 'first']);
  await pod.write('ca.crt', anAuthority().pem);
  const misled = new HttpKubeClient(await openInCluster(pod));
  await assert.rejects(asked(misled), { code: 'unavailable', message: /cannot be reached: .*certificate/ });
});

test('what kubelet mounts is read again after a minute, and not before', async (t) => {
  const pod = await aPod(t);
  let now = 0;
  const client = new HttpKubeClient(await openInCluster({ ...pod, elapsed: () => now }));
  t.after(() => client.close());
  assert.equal(await asked(client), 'Bearer first');
  await pod.write('token', 'second');
  now = 59_000;
  assert.equal(await asked(client), 'Bearer first');
  now = 60_000;
  assert.equal(await asked(client), 'Bearer second');
});

test('a token that cannot be read is said as such, and read once it is there', async (t) => {
  const pod = await aPod(t);
  await rm(join(pod.folder, 'token'));
  const client = new HttpKubeClient(await openInCluster(pod));
  t.after(() => client.close());
  await assert.rejects(asked(client), {
    code: 'unavailable',
    message: /the credentials for https:.* cannot be had: ENOENT.*token/,
  });
  await pod.write('token', 'late');
  assert.equal(await asked(client), 'Bearer late');
});

test('addresses of IPv6 are those of a URL, and a pod without a namespace is in `default`', async (t) => {
  const { folder } = await aPod(t);
  await rm(join(folder, 'namespace'));
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const { server, namespace } = await openInCluster({ env, folder });
  assert.deepEqual([server.href, namespace], ['https://[fd00::1]/', 'default']);
});

test('a pod that is not told where the API server is says what it misses', async () => {
  for (const env of [
    {},
    { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '99999' },
    { KUBERNETES_SERVICE_HOST: 'a b', KUBERNETES_SERVICE_PORT: '443' },
  ]) {
    await assert.rejects(openInCluster({ env, folder: '/nowhere' }), {
      code: 'failed-precondition',
      message: /KUBERNETES_SERVICE_HOST=.* KUBERNETES_SERVICE_PORT=.* do not say where/,
    });
  }
});
