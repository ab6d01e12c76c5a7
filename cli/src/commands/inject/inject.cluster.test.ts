import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import { runToEnd } from '../../../testing/run-cli.ts';

const { assets, skip } = realApiServerAssets();
const samples = fileURLToPath(new URL('../../../testing/injected/', import.meta.url));

const objectsIn = (text: string): readonly WireObject[] => {
  const loaded = loadYaml(text);
  assert.ok(loaded.ok);
  return (loaded.value as readonly WireObject[]).flatMap((value) =>
    value.kind === 'List' ? (value.items as readonly WireObject[]) : [value],
  );
};

suite('injected manifests on a real API server', { skip, timeout: 120_000 }, () => {
  let cluster: RealCluster;

  before(async () => {
    cluster = await RealCluster.start(assets);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    for (const metadata of [{ name: 'shop' }, { name: 'restricted', labels }]) {
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: metadata.name, name: 'default' },
      });
    }
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** Creates an object with strict validation: a field that does not exist is an error. */
  const create = async (
    path: string,
    body: WireObject,
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const query = { fieldValidation: 'Strict', dryRun: 'All' };
    const signal = AbortSignal.timeout(20_000);
    const answer = await cluster.client.request({ method: 'POST', path, query, body, signal });
    return { status: answer.status, text: answer.body.toString() };
  };

  const places: Readonly<Record<string, string>> = {
    Deployment: '/apis/apps/v1/namespaces/shop/deployments',
    StatefulSet: '/apis/apps/v1/namespaces/shop/statefulsets',
    DaemonSet: '/apis/apps/v1/namespaces/shop/daemonsets',
    CronJob: '/apis/batch/v1/namespaces/shop/cronjobs',
    Service: '/api/v1/namespaces/shop/services',
    Namespace: '/api/v1/namespaces',
  };

  for (const name of ['annotated.yaml', 'manual.yaml'])
    test(`every object of ${name} is accepted, without an unknown field`, async () => {
      const objects = objectsIn(await readFile(`${samples}${name}`, 'utf8'));
      assert.equal(objects.length, 6);
      for (const object of objects) {
        // The sample's own unknown field, and a Namespace that is there.
        const { 'x-unknown': _unknown, ...metadata } = object.metadata as WireObject;
        const known = {
          ...object,
          metadata: object.kind === 'Namespace' ? { ...metadata, name: 'another' } : metadata,
        };
        const { status, text } = await create(places[`${object.kind}`] ?? '', known);
        assert.equal(status, 201, `${object.kind}: ${text}`);
      }
    });

  const pod = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'restricted' },
    spec: {
      // Named: the plugin that would default it is switched off where a test starts the API server.
      serviceAccountName: 'default',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'web',
          image: 'shop/web:1',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });
  const inject = async (...more: readonly string[]): Promise<WireObject> => {
    const args = ['inject', '--manual', '--ignore-cluster', '--trust-anchors', 'ca.crt', ...more, '-'];
    const { out, err, code } = await runToEnd(args, { workingDirectory: samples, input: pod });
    assert.equal(code, 0, err);
    return objectsIn(out)[0] as WireObject;
  };

  test('with a CNI plugin an injected pod fits Pod Security `restricted`', async () => {
    const { status, text } = await create(
      '/api/v1/namespaces/restricted/pods',
      await inject('--settings', 'cni.json'),
    );
    assert.equal(status, 201, text);
  });

  test('without one the capabilities of linkerd-init are all that it objects to', async () => {
    const { status, text } = await create('/api/v1/namespaces/restricted/pods', await inject());
    assert.equal(status, 403);
    const { message } = JSON.parse(text) as { readonly message: string };
    assert.match(message, /"linkerd-init" must not include "NET_ADMIN", "NET_RAW"/);
    assert.doesNotMatch(message, /linkerd-proxy|runAsNonRoot|seccomp|allowPrivilegeEscalation|volume/i);
  });
});
