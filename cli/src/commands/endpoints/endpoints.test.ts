import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServices, stopServices } from '@gatehouse/dev/serve/start-services';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { type Ended, runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

const pod = (
  name: string,
  ip: string,
  said: { labels?: string; annotations?: string; ready?: boolean } = {},
) => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: demo
  labels: { app: backend${said.labels ?? ', linkerd.io/control-plane-ns: gatehouse'} }
  annotations: { ${said.annotations ?? ''} }
spec: { containers: [{ name: app, ports: [{ name: http, containerPort: 8080 }] }] }
status:
  phase: Running
  podIP: ${ip}
  conditions: [{ type: Ready, status: "${said.ready === false ? 'False' : 'True'}" }]
---`;

const manifests = `
${pod('backend-0', '10.1.0.1')}
${pod('backend-1', '10.1.0.2', { labels: ', linkerd.io/inject: disabled', annotations: 'linkerd.io/inject: disabled' })}
${pod('backend-2', '10.1.0.3', { annotations: 'config.linkerd.io/opaque-ports: "8080"' })}
${pod('backend-3', '10.1.0.4', { ready: false })}
apiVersion: v1
kind: Service
metadata: { name: backend, namespace: demo }
spec: { clusterIP: 10.32.0.1, selector: { app: backend }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: v1
kind: Service
metadata: { name: alias, namespace: demo }
spec: { type: ExternalName, externalName: example.com }
---
apiVersion: linkerd.io/v1alpha2
kind: ServiceProfile
metadata: { name: backend.demo.svc.cluster.local, namespace: demo }
spec:
  retryBudget: { retryRatio: 0.5, minRetriesPerSecond: 3, ttl: 30s }
  routes:
    - { name: read, isRetryable: true, timeout: 300ms, condition: { all: [{ method: GET }, { not: { pathRegex: /admin } }] } }
  dstOverrides:
    - { authority: canary.demo.svc.cluster.local, weight: 100m }
`;

/** Runs command lines against a destination on a folder. */
const onDestination = async (t: TestContext): Promise<(...args: readonly string[]) => Promise<Ended>> => {
  const root = await temporaryFolder(t);
  const [state, folder] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, folder]) await mkdir(path);
  await writeFile(join(folder, 'mesh.yaml'), manifests);
  const running = await startServices(['destination'], () => ({
    GATEHOUSE_SOURCE: `directory:${folder}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_LOG_LEVEL: 'error',
  }));
  t.after(() => stopServices(running, 'the test is over'));
  const admin = running[0]?.admin ?? assert.fail();
  while ((await fetch(`${admin}/ready`)).status !== 200) await sleep(20);
  const token = (await readFile(join(state, 'admin-token'), 'utf8')).trim();
  return (...args) => runToEnd([...args, '--address', admin, '--token', token]);
};

test('endpoints are shown with how they are reached, and what is left out with the reason', async (t) => {
  const run = await onDestination(t);
  const { code, out } = await run('endpoints', 'backend', '-n', 'demo', '--from', 'backend-0');
  assert.equal(code, exitCode.ok);
  assert.deepEqual(out.split('\n'), [
    'ADDRESS        WORKLOAD   REACHED                                   ZONE  IDENTITY',
    '10.1.0.1:8080  backend-0  mTLS, h2                                  -     default.demo.serviceaccount.identity.gatehouse.cluster.local',
    '10.1.0.2:8080  backend-1  plaintext (it has no proxy of this mesh)  -     -',
    '10.1.0.3:8080  backend-2  mTLS, opaque                              -     default.demo.serviceaccount.identity.gatehouse.cluster.local',
    '',
    'Left out:',
    'WORKLOAD   ADDRESS   BECAUSE',
    'backend-3  10.1.0.4  it is not ready',
  ]);
  const { out: json } = await run('endpoints', 'backend.demo:80', '-o', 'json');
  assert.equal(JSON.parse(json).target, 'backend.demo.svc.cluster.local:80');
});

test('a profile says what a ServiceProfile does with requests, and whose an address is', async (t) => {
  const run = await onDestination(t);
  const { code, out } = await run('profile', 'backend.demo');
  assert.equal(code, exitCode.ok);
  assert.deepEqual(out.split('\n'), [
    'Asked:          backend.demo.svc.cluster.local:80',
    'Is:             the Service backend.demo.svc.cluster.local',
    'Opaque:         no',
    'ServiceProfile: demo/backend.demo.svc.cluster.local',
    'Retries:        50 % of requests and 3/s, over 30 s',
    '',
    'ROUTE  REQUESTS                 RETRIED  TIMEOUT',
    'read   GET and not path /admin  yes      300 ms',
    '',
    'SENT TO                        WEIGHT',
    'canary.demo.svc.cluster.local  0.1',
  ]);
  assert.deepEqual((await run('profile', '10.1.0.3:8080')).out.split('\n'), [
    'Asked:          10.1.0.3:8080',
    'Is:             one endpoint',
    'Opaque:         yes: clients send bytes',
    'Endpoint:       10.1.0.3:8080',
    'Workload:       backend-2',
    'Reached:        mTLS, opaque',
    'Identity:       default.demo.serviceaccount.identity.gatehouse.cluster.local',
  ]);
  assert.match(
    (await run('profile', '192.0.2.1:80')).out,
    /nothing here has: traffic goes where it was sent/,
  );
  assert.match((await run('profile', 'backend.demo:81')).out, /the Service does not declare this port/);
});

test('a folder of manifests answers as a destination that runs on it would', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'mesh.yaml'), manifests);
  const { code, out } = await runToEnd(['endpoints', 'backend', '-n', 'demo', '-o', 'json', '--dir', folder]);
  assert.equal(code, exitCode.ok);
  const run = await onDestination(t);
  assert.deepEqual(
    JSON.parse(out),
    JSON.parse((await run('endpoints', 'backend', '-n', 'demo', '-o', 'json')).out),
  );
  const none = await runToEnd(['profile', '10.1.0.1:80', '--dir', join(folder, 'none')]);
  assert.equal(none.code, exitCode.failed);
  assert.match(none.err, /none/);
});

const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
  [['endpoints', 'nobody.demo:80'], exitCode.failed, /there is no Service nobody\.demo/],
  [['endpoints', 'alias.demo:80'], exitCode.failed, /is an ExternalName/],
  [['endpoints', '10.1.0.1:8080'], exitCode.usage, /`gatehouse profile 10\.1\.0\.1:8080`/],
  [['endpoints', 'a.b.c.d.e'], exitCode.usage, /names no Service of this cluster/],
  [
    ['profile', 'backend.demo:80', '--from', 'demo/none'],
    exitCode.failed,
    /`from`: the pod demo\/none is not found/,
  ],
];

test('what cannot be shown is refused with what to do', async (t) => {
  const run = await onDestination(t);
  for (const [args, code, text] of refusals) {
    const ended = await run(...args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, text);
  }
  assert.equal(refusals.length, 5);
});
