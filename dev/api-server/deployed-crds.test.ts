import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { aClient, withServer } from '@gatehouse/testing/api-server/client';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { metaOf } from './object-meta.ts';
import { readManifests } from './read-manifests.ts';

const folder = fileURLToPath(new URL('../../deploy/crds/generated', import.meta.url));

test('the CRDs that we deploy are served, and hold objects to their schemas', async () => {
  const crds = await readManifests(folder);
  assert.equal(crds.length > 5, true);
  await withServer({ crds }, async (server) => {
    const { request } = aClient(server);
    for (const crd of crds) {
      const spec = crd.spec as { group: string; names: { plural: string }; versions: { name: string }[] };
      for (const { name } of spec.versions) {
        const { code } = await request('GET', `/apis/${spec.group}/${name}/${spec.names.plural}`);
        assert.equal(code, 200, `${metaOf(crd).name} ${name}`);
      }
    }
    const path = '/apis/policy.linkerd.io/v1beta3/namespaces/default/servers';
    const create = (spec: unknown) =>
      request(
        'POST',
        path,
        aWireObject('Server', { name: 's', namespace: 'default', version: 'v1beta3', spec }),
      );
    const bad = await create({ podSelector: {}, port: 80, proxyProtocol: 'HTTP/3' });
    assert.deepEqual([bad.code, bad.body.reason], [422, 'Invalid']);
    const none = await create({ port: 80 });
    assert.match(`${none.body.message}`, /podSelector|externalWorkloadSelector/);
    assert.equal((await create({ podSelector: {}, port: 80, proxyProtocol: 'HTTP/2' })).code, 201);
  });
});
