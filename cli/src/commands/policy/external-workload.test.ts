import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { onPolicyFolder } from '../../../testing/policy-folder.ts';
import { exitCode } from '../../exit-code.ts';

const outside = `
apiVersion: workload.linkerd.io/v1beta1
kind: ExternalWorkload
metadata: { name: vm-1, namespace: outside, labels: { app: db } }
spec:
  meshTLS: { identity: 'spiffe://root.linkerd.cluster.local/vm-1', serverName: vm-1.outside }
  workloadIPs: [ { ip: 192.0.2.9 } ]
  ports: [ { name: sql, port: 5432 } ]
---
apiVersion: workload.linkerd.io/v1beta1
kind: ExternalWorkload
metadata: { name: vm-2, namespace: outside }
spec: { meshTLS: { identity: vm-2.example, serverName: vm-2.example }, workloadIPs: [ { ip: 192.0.2.10 } ] }
---
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: sql, namespace: outside }
spec: { externalWorkloadSelector: { matchLabels: { app: db } }, port: sql, proxyProtocol: opaque }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: { name: backend-reads-sql, namespace: outside }
spec:
  targetRef: { group: policy.linkerd.io, kind: Server, name: sql }
  requiredAuthenticationRefs: [ { kind: ServiceAccount, name: backend, namespace: demo } ]
`;

const onFolder = async (t: TestContext) => {
  const at = await onPolicyFolder(t);
  await writeFile(join(at.folder, 'outside.yaml'), outside);
  return at;
};

const printed = async (t: TestContext, ...args: readonly string[]): Promise<readonly string[]> => {
  const { run } = await onFolder(t);
  const { code, out, err } = await run(...args);
  assert.equal(code, exitCode.ok, err);
  return out.split('\n');
};

test('ExternalWorkloads are listed with pods, as they are named on the command line', async (t) => {
  assert.deepEqual(await printed(t, 'policy', '-n', 'outside'), [
    'WORKLOAD               PORT        PROTOCOL  ADMITS  GOVERNED BY',
    'externalworkload/vm-1  4191/proxy  detect    nobody  default deny (cluster)',
    'externalworkload/vm-1  5432/sql    opaque    some    srv/sql',
    'externalworkload/vm-1  others      detect    nobody  default deny (cluster)',
    'externalworkload/vm-2  4191/proxy  detect    nobody  default deny (cluster)',
    'externalworkload/vm-2  others      detect    nobody  default deny (cluster)',
  ]);
});

// Its own identity is of no mesh that could be left out of others.
test('who may call an ExternalWorkload, and what is in force on its port, are told as of a pod', async (t) => {
  const clients = await printed(t, 'authz', 'outside/externalworkload/vm-1');
  assert.deepEqual(clients, [
    'outside/externalworkload/vm-1  spiffe://root.linkerd.cluster.local/vm-1',
    `PORT        CLIENT${' '.repeat(56)}FROM      REQUESTS  BECAUSE OF`,
    `4191/proxy  nobody${' '.repeat(56)}-         -         default deny (cluster)`,
    '5432/sql    backend.demo.serviceaccount.identity.gatehouse.cluster.local  anywhere  all       authzpolicy/backend-reads-sql',
    `others      nobody${' '.repeat(56)}-         -         default deny (cluster)`,
  ]);
  assert.deepEqual(await printed(t, 'policy', 'externalworkloads/vm-1', 'sql', '-n', 'outside'), [
    'outside/externalworkload/vm-1  spiffe://root.linkerd.cluster.local/vm-1  port 5432/sql',
    '  protocol     bytes',
    '  governed by  srv/sql, base deny',
    '  admits       backend.demo.serviceaccount.identity.gatehouse.cluster.local from anywhere: everything, by authzpolicy/backend-reads-sql',
    '  denies       all other connections, which are closed',
  ]);
});

test('for programs an ExternalWorkload is no pod', async (t) => {
  const text = await printed(t, 'authz', 'externalworkload/vm-1', '-n', 'outside', '-o', 'json');
  const [item] = JSON.parse(text.join('\n')).items;
  assert.deepEqual(
    [item.pods, item.workload, item.serviceAccount, item.owner, item.addresses],
    [[], { kind: 'ExternalWorkload', namespace: 'outside', name: 'vm-1' }, null, null, ['192.0.2.9']],
  );
});

test('one that there is not is told with what lists those that there are, and what could admit clients', async (t) => {
  const { run } = await onFolder(t);
  const none = await run('policy', 'externalworkload/vm-9', '-n', 'outside');
  assert.equal(none.code, exitCode.failed);
  assert.match(none.err, /there is no ExternalWorkload outside\/vm-9: `gatehouse policy -n outside`/);
  const port = await run('policy', 'externalworkload/vm-1', 'http', '-n', 'outside');
  assert.match(port.err, /ExternalWorkload outside\/vm-1 has no port named http: it has sql \(5432\)/);
  const closed = await run('authz', 'externalworkload/vm-2', '-n', 'outside');
  assert.match(closed.err, /by a Server with an externalWorkloadSelector and an AuthorizationPolicy/);
});
