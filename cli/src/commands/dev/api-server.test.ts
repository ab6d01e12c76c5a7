import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
