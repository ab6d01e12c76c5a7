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
  const changesNow = () => printed.slice(first).filter((line) => /^[+-] /.test(line));

  await writeFile(join(folder, 'more.yaml'), more);
  await eventually(() => changesNow().length > 0);
  const added = changesNow();
  assert.deepEqual(
    added.filter((line) => line.startsWith('+ demo/backend-0')),
    [
      '+ demo/backend-0 8080/http  detect, governed by nap/frontend-can-talk-to-backend, nap/ingress',
      '+ demo/backend-0 8080/http  ingress.demo.serviceaccount.identity.gatehouse.cluster.local from anywhere: all  (nap/ingress)',
    ],
  );
  assert.ok(!added.some((line) => line.includes('default.demo')), 'what stays is not said again');

  await rm(join(folder, 'more.yaml'));
  await eventually(() => changesNow().length === 2 * added.length);
  assert.deepEqual(
    changesNow()
      .slice(added.length)
      .map((line) => (line.startsWith('+') ? line.replace('+', '-') : line.replace('-', '+')))
      .sort(),
    added.toSorted(),
  );

  // All pods of it are gone.
  await writeFile(join(folder, 'mesh.yaml'), policyManifests.replaceAll('backend', 'other'));
  await eventually(() => changesNow().some((line) => line.startsWith('- ') && line.includes('default.demo')));
  interrupt.abort();
  assert.equal(await ended, exitCode.ok);
});
