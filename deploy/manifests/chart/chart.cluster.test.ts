import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { anAuthority } from '@gatehouse/dev/certificates';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';

const { assets, skip } = realApiServerAssets();
const helm = process.env.HELM_BIN ?? '';
const chart = fileURLToPath(new URL('../../chart/', import.meta.url));
const configuration =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gatehouse-injector';

interface Webhook {
  readonly clientConfig: { readonly caBundle?: string };
}

test("Helm installs the chart on a real API server, and an upgrade keeps the webhook's CA", {
  skip: skip || (helm === '' ? 'HELM_BIN names no helm' : false),
  timeout: 300_000,
}, async (t) => {
  const cluster = await RealCluster.start(assets);
  t.after(() => cluster[Symbol.asyncDispose]());
  const root = anAuthority({ name: 'root' });
  const issuer = anAuthority({ name: 'issuer', issuedBy: root });
  const keyPEM = issuer.key.export({ type: 'pkcs8', format: 'pem' });
  const values = join(await temporaryFolder(t), 'values.json');
  const write = (more: object): Promise<void> =>
    writeFile(
      values,
      JSON.stringify({
        injector: { enabled: true },
        identityTrustAnchorsPEM: root.pem,
        identity: { issuer: { tls: { crtPEM: issuer.pem, keyPEM } } },
        ...more,
      }),
    );
  const run = (...args: readonly string[]) =>
    promisify(execFile)(helm, [...args, '-n', 'mesh', '-f', values], {
      env: { ...process.env, KUBECONFIG: cluster.server.kubeconfig },
      maxBuffer: 2 ** 26,
    });
  const webhooks = async (): Promise<readonly Webhook[]> =>
    (await cluster.ask({ path: configuration })).webhooks as readonly Webhook[];

  await write({});
  // The CRDs are there already.
  await run('install', 'gatehouse', chart, '--create-namespace', '--skip-crds');
  const caBundle = btoa(root.pem);
  const patch = (await webhooks()).map((_, at) => ({
    op: 'add',
    path: `/webhooks/${at}/clientConfig/caBundle`,
    value: caBundle,
  }));
  const contentType = 'application/json-patch+json';
  await cluster.ask({ method: 'PATCH', path: configuration, contentType, body: patch });

  await write({ replicas: 4 });
  await run('upgrade', 'gatehouse', chart);
  for (const { clientConfig } of await webhooks()) assert.equal(clientConfig.caBundle, caBundle);
  const deployment = await cluster.ask({
    path: '/apis/apps/v1/namespaces/mesh/deployments/gatehouse-policy',
  });
  assert.equal((deployment.spec as WireObject).replicas, 4);
});
