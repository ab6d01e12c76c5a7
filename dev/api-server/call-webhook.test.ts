import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { startWebhook } from '@gatehouse/testing/api-server/a-webhook';
import { aClient, withServer } from '@gatehouse/testing/api-server/client';
import { aWireObject } from '@gatehouse/testing/wire-objects';

const configMap = (name: string): WireObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

test('a webhook behind a Service is called by the Service’s name, wherever it is resolved to', async () => {
  const webhook = await startWebhook(() => ({ allowed: true }), 'hook.mesh.svc');
  const objects = [
    aWireObject('Namespace', { name: 'demo' }),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'hook' },
      webhooks: ['hook', 'nobody'].map((name) => ({
        name: `${name}.ex.io`,
        clientConfig: {
          service: { namespace: 'mesh', name, path: '/admit' },
          caBundle: webhook.clientConfig.caBundle,
        },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        objectSelector: name === 'nobody' ? { matchLabels: { ask: 'nobody' } } : {},
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      })),
    },
  ];
  const resolveService = ({ name, namespace, port }: { name: string; namespace: string; port: number }) =>
    `${namespace}/${name}:${port}` === 'mesh/hook:443' ? webhook.address : undefined;
  try {
    await withServer({ objects, resolveService }, async (server) => {
      const { request } = aClient(server);
      const path = '/api/v1/namespaces/demo/configmaps';
      assert.equal((await request('POST', path, configMap('a'))).code, 201);
      assert.deepEqual(
        webhook.asked.map(({ name, namespace }) => `${namespace}/${name}`),
        ['demo/a'],
      );
      const lost = { ...configMap('b'), metadata: { name: 'b', labels: { ask: 'nobody' } } };
      const { code, body } = await request('POST', path, lost);
      assert.equal(code, 500);
      assert.match(`${body.message}`, /service "nobody" not found/);
    });
  } finally {
    await webhook.stop();
  }
});
