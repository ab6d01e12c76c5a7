import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@gatehouse/testing/grpc';
import { onPolicyFolder } from '../../../testing/policy-folder.ts';
import { policyManifests } from '../../../testing/policy-manifests.ts';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';

const more = `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: ingress, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: http } ]
  sources: [ { serviceAccounts: [ { name: ingress } ] } ]
`;

test('after the first answer only what changes is printed, and what comes back changes back', async (t) => {
  const { folder } = await onPolicyFolder(t);
  const printed: string[] = [];
  const interrupt = new AbortController();
  const ended = runCli(['policy', 'deploy/backend', 'http', '-n', 'demo', '-w', '--dir', folder], {
    terminal: {
      columns: 80,
      isTty: false,
      out: (text) => void printed.push(...text.split('\n')),
      err: (text) => void printed.push(text),
      paint: (_, text) => text,
    },
    env: {},
    workingDirectory: folder,
    interrupted: interrupt.signal,
  });
  t.after(() => interrupt.abort());
  await eventually(() => printed.length > 0);
  assert.match(
    printed[0] ?? '',
    /^demo\/deploy\/backend: backend-0, backend-1, backend-2 .* port 8080\/http$/,
  );
  const first = printed.length;
  const changesNow = () => printed.slice(first).filter((line) => /^[+~-] /.test(line));
  const heard = async (...lines: readonly string[]): Promise<void> => {
    await eventually(() => changesNow().length >= lines.length);
    assert.deepEqual(changesNow(), lines);
    printed.splice(first);
  };

  await writeFile(join(folder, 'more.yaml'), more);
  await heard(
    '- 8080/http  detect, governed by nap/frontend-can-talk-to-backend',
    '+ 8080/http  detect, governed by nap/frontend-can-talk-to-backend, nap/ingress',
    '+ 8080/http  ingress.demo from anywhere: all, by nap/ingress',
  );
  await rm(join(folder, 'more.yaml'));
  await heard(
    '- 8080/http  detect, governed by nap/frontend-can-talk-to-backend, nap/ingress',
    '- 8080/http  ingress.demo from anywhere: all, by nap/ingress',
    '+ 8080/http  detect, governed by nap/frontend-can-talk-to-backend',
  );
  // One client pod less: the same clients, from other addresses.
  const mesh = policyManifests.replace('replicas: 2', 'replicas: 1');
  await writeFile(join(folder, 'mesh.yaml'), mesh);
  await eventually(() => changesNow().length > 0);
  assert.match(
    printed.splice(first).join('\n'),
    /\n~ 8080\/http {2}default\.demo: all, by nap\/frontend-can-talk-to-backend: no more from 127\.[\d.]+$/,
  );
  await writeFile(join(folder, 'mesh.yaml'), mesh.replace('replicas: 3', 'replicas: 2'));
  await heard('- pod demo/backend-2');
  await writeFile(join(folder, 'mesh.yaml'), mesh.replaceAll('backend', 'other'));
  await heard('- pod demo/backend-0', '- pod demo/backend-1');
  interrupt.abort();
  assert.equal(await ended, exitCode.ok);
});
