import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { startFakeApiServer } from './fake-api-server.ts';
import { impliedObjects } from './implied-objects.ts';

const workload = (kind: string, spec: WireObject = {}, name = 'web'): WireObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name, namespace: 'demo' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'i', ports: [{ containerPort: 8080 }] }] },
    },
    ...spec,
  },
});

const namespace: WireObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } };
const base = '/apis/apps/v1/namespaces/demo';

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly annotations?: WireObject };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly podIP: string };
}

const aServer = async (t: TestContext) => {
  const server = await startFakeApiServer({ controllers: true, objects: [namespace] });
  t.after(() => server.stop());
  const ask = async (method: string, path: string, body?: unknown, type = 'application/json') => {
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is checked by its assertions
    return { code: answer.status, body: (await answer.json()) as Record<string, any> };
  };
  const pods = async (): Promise<readonly Pod[]> =>
    (await ask('GET', '/api/v1/namespaces/demo/pods')).body.items;
  const names = async (): Promise<string> => (await pods()).map(({ metadata }) => metadata.name).join(' ');
  return { server, ask, pods, names };
};

test('a Deployment that is written later has its pods at once, as a folder’s has, and takes them with it', async (t) => {
  const { ask, pods, names } = await aServer(t);
  assert.equal((await ask('POST', `${base}/deployments`, workload('Deployment', { replicas: 2 }))).code, 201);
  const made = await pods();
  const folder = await temporaryFolder(t);
  const manifests = [namespace, workload('Deployment', { replicas: 2 })];
  await writeFile(join(folder, 'a.yaml'), manifests.map((object) => JSON.stringify(object)).join('\n---\n'));
  const implied = await impliedObjects(folder, { manifests, controlPlaneNamespace: 'gatehouse' });
  const identity = ({ metadata, status }: Pod) => [metadata.name, metadata.uid, status.podIP];
  assert.deepEqual(
    made.map(identity),
    implied.filter(({ kind }) => kind === 'Pod').map((pod) => identity(pod as unknown as Pod)),
  );
  assert.equal(made.length, 2);
  const { status, metadata } = (await ask('GET', `${base}/deployments/web`)).body;
  assert.deepEqual([status.readyReplicas, status.observedGeneration], [2, metadata.generation]);
  await ask('DELETE', `${base}/deployments/web`);
  assert.equal(await names(), '');
});

test('only what changes is written: pods that stay are not touched, and one that comes again has another uid', async (t) => {
  const { server, ask, pods, names } = await aServer(t);
  const resources = { deployments: 'Deployment', statefulsets: 'StatefulSet', daemonsets: 'DaemonSet' };
  for (const [plural, kind] of Object.entries(resources))
    await ask('POST', `${base}/${plural}`, workload(kind, {}, plural));
  assert.equal(await names(), 'daemonsets-0 deployments-0 statefulsets-0');
  const before = await pods();
  const { revision } = server;
  await ask('PATCH', `${base}/deployments/deployments`, { metadata: { labels: { a: 'b' } } }, mergeType);
  assert.equal(server.revision, revision + 1);
  await ask('DELETE', '/api/v1/namespaces/demo/pods/deployments-0');
  const after = await pods();
  assert.deepEqual(after[0], before[0]);
  assert.deepEqual(after[2], before[2]);
  assert.equal(after[1]?.status.podIP, before[1]?.status.podIP);
  assert.notEqual(after[1]?.metadata.uid, before[1]?.metadata.uid);
  for (const name of ['a', 'b'])
    await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  assert.equal(await names(), 'daemonsets-0 daemonsets-1 deployments-0 statefulsets-0');
});

const mergeType = 'application/merge-patch+json';

test('a new template replaces the pods, and a pod that was written by hand is left alone', async (t) => {
  const { ask, pods, names } = await aServer(t);
  const own = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1' }, spec: { containers: [] } };
  await ask('POST', '/api/v1/namespaces/demo/pods', own);
  await ask('POST', `${base}/deployments`, workload('Deployment', { replicas: 3 }));
  assert.equal(await names(), 'web-0 web-1 web-2');
  const [first, written] = await pods();
  const annotations = { 'kubectl.kubernetes.io/restartedAt': 'now' };
  await ask(
    'PATCH',
    `${base}/deployments/web`,
    { spec: { template: { metadata: { annotations } } } },
    mergeType,
  );
  const [next, still] = await pods();
  assert.equal(next?.metadata.annotations?.['kubectl.kubernetes.io/restartedAt'], 'now');
  assert.notEqual(next?.metadata.uid, first?.metadata.uid);
  assert.deepEqual(still, written);
});

test('the Scale of a workload is read, written whole and patched, and says how many pods there are', async (t) => {
  const { ask, names } = await aServer(t);
  await ask('POST', `${base}/deployments`, workload('Deployment'));
  const path = `${base}/deployments/web/scale`;
  const { body: scale } = await ask('GET', path);
  assert.deepEqual(
    [scale.kind, scale.apiVersion, scale.spec, scale.status],
    ['Scale', 'autoscaling/v1', { replicas: 1 }, { replicas: 1, selector: 'app=web' }],
  );
  const patched = await ask('PATCH', path, { spec: { replicas: 3 } }, mergeType);
  assert.deepEqual([patched.code, patched.body.spec.replicas], [200, 3]);
  assert.equal(await names(), 'web-0 web-1 web-2');
  assert.equal((await ask('PUT', path, scale)).code, 409, 'of a version that is past');
  const { body: newest } = await ask('GET', path);
  assert.equal((await ask('PUT', path, { ...newest, spec: { replicas: 0 } })).code, 200);
  assert.equal(await names(), '');
  for (const replicas of [-1, 1.5, '2', 10_001]) {
    const refused = await ask('PATCH', path, { spec: { replicas } }, mergeType);
    assert.equal(refused.code, 422);
    assert.match(refused.body.message, /^Scale\.autoscaling "web" is invalid: spec\.replicas: /);
  }
  assert.equal((await ask('GET', `${base}/daemonsets/web/scale`)).code, 404);
  assert.equal((await ask('GET', `${base}/deployments/nobody/scale`)).code, 404);
  assert.equal((await ask('DELETE', path)).code, 405);
});

test('a server that starts again from a backup goes on to make pods', async (t) => {
  const { server, ask, names } = await aServer(t);
  await ask('POST', `${base}/deployments`, workload('Deployment'));
  await server.restart(server.snapshot());
  await ask('PATCH', `${base}/deployments/web/scale`, { spec: { replicas: 2 } }, mergeType);
  assert.equal(await names(), 'web-0 web-1');
});
