import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GatehouseError } from '@gatehouse/core/error';
import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { aKubelet, aPodProcess } from '@gatehouse/testing/port-forward-fixture';
import { realApiServerAssets, startRealApiServer } from '@gatehouse/testing/real-api-server';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { openKubeClient } from './client.ts';

const { assets, skip } = realApiServerAssets();

test('a real API server forwards to a kubelet anyone who may get and create pods/portforward', {
  skip,
}, async (t) => {
  const server = await startRealApiServer(assets, { authorization: 'RBAC' });
  t.after(() => server.stop());
  const client = await openKubeClient({ kubeconfig: server.kubeconfig });
  t.after(() => client.close());
  const signal = AbortSignal.timeout(60_000);
  const write = async (method: 'POST' | 'PATCH', path: string, body: unknown): Promise<string> => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await client.request({ method, path, body, contentType, signal });
    assert.ok(answer.status < 300, `${path}: ${answer.body}`);
    return answer.body.toString();
  };
  const kubeletEndpoint = { Port: await aKubelet(t) };
  await write('POST', '/api/v1/nodes', { metadata: { name: 'n' } });
  await write('PATCH', '/api/v1/nodes/n/status', {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint },
    },
  });
  const namespace = '/api/v1/namespaces/default';
  await write('POST', `${namespace}/pods`, {
    metadata: { name: 'web' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  });
  const port = await aPodProcess(t, (socket) => socket.once('data', (said) => socket.end(`heard ${said}`)));
  const stream = await client.portForward({ namespace: 'default', pod: 'web', port, signal });
  stream.write('hello');
  assert.equal((await stream.toArray()).join(''), 'heard hello');
  const dead = await client.portForward({ namespace: 'default', pod: 'web', port: 1, signal });
  await assert.rejects(dead.toArray(), { code: 'unavailable', message: /ECONNREFUSED/ });

  // A user with one verb of the two.
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  await write('POST', `${namespace}/serviceaccounts`, { metadata: { name: 'ann' } });
  await write('POST', `${rbac}/roles`, {
    metadata: { name: 'forward' },
    rules: [{ apiGroups: [''], resources: ['pods/portforward'], verbs: ['get'] }],
  });
  await write('POST', `${rbac}/rolebindings`, {
    metadata: { name: 'forward' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'forward' },
    subjects: [{ kind: 'ServiceAccount', name: 'ann', namespace: 'default' }],
  });
  const made = JSON.parse(await write('POST', `${namespace}/serviceaccounts/ann/token`, { spec: {} }));
  const file = join(await temporaryFolder(t), 'config');
  const { url, ca } = server;
  await writeFile(file, printKubeconfig({ server: url, authority: ca, token: made.status.token }));
  const ann = await openKubeClient({ kubeconfig: file });
  t.after(() => ann.close());
  await assert.rejects(ann.portForward({ namespace: 'default', pod: 'web', port, signal }), {
    code: 'permission-denied',
    message: /pods "web" is forbidden: \(needed are get and create/,
  });
  const rules = [{ apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] }];
  await write('PATCH', `${rbac}/roles/forward`, { rules });
  // The server hears of a changed role a moment after it has taken it in.
  const forward = () =>
    ann.portForward({ namespace: 'default', pod: 'web', port, signal }).catch((error: GatehouseError) => {
      if (error.code !== 'permission-denied') throw error;
    });
  let forwarded = await forward();
  while (forwarded === undefined) forwarded = await forward();
  forwarded.destroy();
});
