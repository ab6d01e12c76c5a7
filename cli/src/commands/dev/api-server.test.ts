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
    assert.match(text, /2 from /);
    assert.deepEqual(errors, [
      'left out: networking.k8s.io/v1 Ingress is not served here; add its CRD to the folder',
    ]);
    const listed = await fetch(`${server}/api/v1/namespaces/demo/pods`);
    const { items } = (await listed.json()) as { items: { metadata: { name: string } }[] };
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['a'],
    );
  } finally {
    stop.abort();
  }
  assert.equal(await run, exitCode.ok);
});
