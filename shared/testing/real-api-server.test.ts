import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { test } from 'node:test';
import { realApiServerAssets, startRealApiServer } from './real-api-server.ts';

const { assets, skip } = realApiServerAssets();

const statusOf = (url: string, { ca, token }: { ca: string; token: string }): Promise<number | undefined> => {
  const agent = new Agent({ ca });
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
    response.resume();
    response.once('close', () => resolve(response.statusCode));
  }).once('error', reject);
  return promise.finally(() => agent.destroy());
};

test('a real API server answers its kubeconfig, and is gone after stop', { skip }, async () => {
  const server = await startRealApiServer(assets);
  try {
    assert.equal(await statusOf(`${server.url}/api/v1/namespaces`, server), 200);
    assert.equal(await statusOf(`${server.url}/api/v1/namespaces`, { ca: server.ca, token: 'another' }), 401);
    const kubeconfig = JSON.parse(await readFile(server.kubeconfig, 'utf8'));
    assert.equal(kubeconfig.clusters[0].cluster.server, server.url);
    assert.equal(kubeconfig.users[0].user.token, server.token);
  } finally {
    await server.stop();
  }
  await assert.rejects(statusOf(`${server.url}/api/v1/namespaces`, server), { code: 'ECONNREFUSED' });
  await assert.rejects(readFile(server.kubeconfig), { code: 'ENOENT' });
});

test('without binaries the start fails and names the one that is missing', async () => {
  await assert.rejects(startRealApiServer('/nonexistent'), /\/nonexistent\/(etcd|kube-apiserver) ended/);
});

test('the tests on a real API server are skipped with a reason unless binaries are named', () => {
  assert.match(String(realApiServerAssets({}).skip), /KUBEBUILDER_ASSETS/);
  assert.deepEqual(realApiServerAssets({ KUBEBUILDER_ASSETS: '/a' }), { assets: '/a', skip: false });
});
