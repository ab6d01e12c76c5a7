import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { parse } from 'yaml';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: demo }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Pod, metadata: { name: a, namespace: demo } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: demo }
spec:
  replicas: 2
  template: { metadata: { labels: { app: web } }, spec: { containers: [ { name: app, image: i } ] } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: i }
`;

test('a port in use is reported with the flag that chooses another', async (context) => {
  const taken = createServer().listen(0, '127.0.0.1');
  context.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const errors: string[] = [];
  const err = (text: string): void => void errors.push(text);
  const code = await runCli(['dev', 'api-server', '--port', String(port)], {
    terminal: { columns: 80, isTty: false, out: err, err, paint: (_, text) => text },
    env: {},
    workingDirectory: await temporaryFolder(context),
    interrupted: new AbortController().signal,
  });
  assert.equal(code, exitCode.failed);
  assert.deepEqual(errors, [
    `error: 127.0.0.1:${port} is in use: end the process that listens there, or choose another (--port)`,
  ]);
});

test('the dev API server serves a folder at the address of its kubeconfig, until it is interrupted', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'm'));
  await writeFile(join(folder, 'm', 'devMesh.yaml'), manifests);
  const stop = new AbortController();
  const { promise: said, resolve: say } = Promise.withResolvers<string>();
  const errors: string[] = [];
  const run = runCli(['dev', 'api-server', '--dir', 'm', '--kubeconfig', 'kubeconfig'], {
    terminal: {
      columns: 80,
      isTty: false,
      out: say,
      err: (text) => errors.push(text),
      paint: (_, text) => text,
    },
    env: {},
    workingDirectory: folder,
    interrupted: stop.signal,
  });
  try {
    const text = await Promise.race([said, run.then((code) => `ended with ${code}: ${errors.join('\n')}`)]);
    const config = parse(await readFile(join(folder, 'kubeconfig'), 'utf8'));
    const { server } = config.clusters[0].cluster;
    assert.equal(text.includes(server), true, text);
    assert.match(text, /3 from .*, and 2 pods of their workloads/);
    assert.deepEqual(errors, [
      'left out: networking.k8s.io/v1 Ingress is not served here; add its CRD to the folder',
    ]);
    const listed = await fetch(`${server}/api/v1/namespaces/demo/pods`);
    const { items } = (await listed.json()) as {
      items: {
        metadata: { name: string };
        spec?: { containers: { image: string }[] };
        status?: { phase: string };
      }[];
    };
    assert.deepEqual(
      items.map(({ metadata, spec, status }) => [metadata.name, spec?.containers[0]?.image, status?.phase]),
      [
        ['a', undefined, undefined],
        ['web-0', 'i', 'Running'],
        ['web-1', 'i', 'Running'],
      ],
    );
    const deployment = await fetch(`${server}/apis/apps/v1/namespaces/demo/deployments/web`);
    const { status } = (await deployment.json()) as { status: { readyReplicas: number } };
    assert.equal(status.readyReplicas, 2);
    const accounts = await fetch(`${server}/api/v1/namespaces/demo/serviceaccounts/default`);
    assert.equal(accounts.status, 200);
  } finally {
    stop.abort();
  }
  assert.equal(await run, exitCode.ok);
});
