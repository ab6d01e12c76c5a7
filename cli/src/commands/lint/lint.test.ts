import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

const workloads = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: v1
kind: Pod
metadata: { name: backend, namespace: demo, labels: { app: backend } }
spec: { containers: [ { name: app, ports: [ { name: http, containerPort: 8080 } ] } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: frontend, namespace: demo, labels: { app: frontend } }
spec: { containers: [ { name: app } ] }
`;

const policyOf = (port: number | string, client = 'frontend') => `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: frontend-can-talk-to-backend, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: ${port} } ]
  sources: [ { podSelector: { matchLabels: { app: ${client} } } } ]
`;

const lint = async (t: TestContext, files: Readonly<Record<string, string>>, ...args: readonly string[]) => {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return runToEnd(['lint', folder, ...args]);
};

test('manifests whose policies do all that they say end with 0', async (t) => {
  const { code, out, err } = await lint(t, { 'a.yaml': workloads, 'b.yaml': policyOf('http') });
  assert.deepEqual([code, out, err], [exitCode.ok, '', '1 policy objects, and nothing is found']);
});

test('what a policy does not do is said with field and fix, and the end is 1', async (t) => {
  const { code, out, err } = await lint(t, { 'a.yaml': workloads, 'b.yaml': policyOf(8081, 'fronted') });
  assert.equal(code, exitCode.failed);
  assert.deepEqual(out.split('\n'), [
    'demo/nap/frontend-can-talk-to-backend  MatchesNothing',
    '  NoSuchPort spec.ports[0].port: No selected pod declares a port 8081: they',
    '    declare 8080 (http).',
    '    Name a port that the containers declare, or declare this one if something',
    '    listens there.',
    '  NoPodMatches spec.sources[0].podSelector: It selects no pod of namespace demo.',
    "    Compare the selector with the pods' labels: `kubectl get pods",
    '    --show-labels`.',
  ]);
  assert.equal(err, '1 policy objects, of which 1 do not do all that they say');
});

test('reasons can be left out, namespaces chosen, and programs served', async (t) => {
  const files = { 'a.yaml': workloads, 'b.yaml': policyOf(8081, 'fronted') };
  const some = await lint(t, files, '--ignore', 'NoPodMatches', '-o', 'json');
  const { items } = JSON.parse(some.out);
  assert.deepEqual(
    items.map(({ state, findings }: { state: string; findings: readonly { reason: string }[] }) => [
      state,
      ...findings.map(({ reason }) => reason),
    ]),
    [['MatchesNothing', 'NoSuchPort']],
  );
  const none = await lint(t, files, '--ignore', 'NoPodMatches', '--ignore', 'NoSuchPort');
  assert.equal(none.code, exitCode.ok);
  assert.equal((await lint(t, files, '-n', 'other')).code, exitCode.ok);
  const wrong = await lint(t, files, '--ignore', 'NoSuchPrt');
  assert.equal(wrong.code, exitCode.usage);
  assert.match(wrong.err, /--ignore NoSuchPrt is not a reason of findings: did you mean NoSuchPort\?/);
});

test('a manifest that cannot be read is named as it was given', async (t) => {
  const { code, out } = await lint(t, { 'a.yaml': workloads, 'broken.yaml': 'kind: [' });
  assert.equal(code, exitCode.failed);
  assert.match(out, /broken\.yaml cannot be\s+read: /);
});

test('the example of the first page, piped in', async () => {
  const { code } = await runToEnd(['lint', '-'], { input: `${workloads}---${policyOf(8080)}` });
  assert.equal(code, exitCode.ok);
});
