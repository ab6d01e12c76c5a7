import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCluster, objectsOf } from '../../../testing/install-cluster.ts';

test('prune names what this version would not make, and nothing that it keeps', async (t) => {
  const { api, run, apply } = await aCluster(t);
  await apply('install');
  const none = await run('prune');
  assert.deepEqual(
    [none.code, none.out, none.err],
    [0, '', 'note: nothing is left of earlier installations'],
  );
  const labels = { 'app.kubernetes.io/part-of': 'gatehouse' };
  api.put(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'old', namespace: 'gatehouse', labels } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other', namespace: 'demo', labels } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mine', namespace: 'gatehouse' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'gatehouse-webhook-tls', namespace: 'gatehouse', labels },
    },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'old', labels } },
  );
  assert.deepEqual(objectsOf(await run('prune')), [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'old', namespace: 'gatehouse' } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'old' } },
  ]);
});
