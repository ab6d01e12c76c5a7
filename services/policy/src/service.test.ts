import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { aPod } from '@gatehouse/testing/builders';
import { fakeIdentity } from '@gatehouse/testing/fake-identity';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient, aGrpcServer, eventually, portOf } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { folders, proxyOf, start } from '../testing/a-started-service.ts';
import { readPolicyConfig } from './config.ts';

const workloads = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: backend, namespace: demo }
spec:
  selector: { matchLabels: { app: backend } }
  template: { metadata: { labels: { app: backend } }, spec: { containers: [ { name: app } ] } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: frontend, namespace: demo }
spec:
  selector: { matchLabels: { app: frontend } }
  template: { metadata: { labels: { app: frontend } }, spec: { containers: [ { name: app } ] } }
`;

const seed = `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: frontend-can-talk-to-backend, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: 8080 } ]
  sources: [ { podSelector: { matchLabels: { app: frontend } } } ]
`;

test("the seed's policy, written into the folder, spoilt and removed, reaches a proxy's open stream", async (t) => {
  const where = await folders(t);
  await writeFile(join(where.manifests, 'workloads.yaml'), workloads);
  const { grpc, admin } = await start(where);
  const { rows, admits } = proxyOf(t, aGrpcClient(t, { address: grpc }), 'backend-0');
  await eventually(() => admits() === 0);
  assert.deepEqual(rows.at(-1)?.labels, { group: '', kind: 'default', name: 'deny' });
  await writeFile(join(where.manifests, 'policy.yaml'), seed);
  await eventually(() => admits() === 1);
  await writeFile(join(where.manifests, 'policy.yaml'), seed.replace('sources:', 'source:'));
  await eventually(() => admits() === 0);
  const metrics = (await ask(`${admin}/metrics`)).text;
  assert.match(metrics, /gatehouse_policy_rejected_objects\{kind="NetworkAuthenticationPolicy"[^}]*\} 1\n/);
  const token = (await readFile(join(where.state, 'admin-token'), 'utf8')).trim();
  const warnings = async (): Promise<unknown> => (await ask(`${admin}/v1/health`, { token })).json.warnings;
  assert.deepEqual(await warnings(), [
    'policy objects cannot be read, and what they name is closed (NetworkAuthenticationPolicy: 1): the log names them',
  ]);
  await writeFile(join(where.manifests, 'policy.yaml'), seed);
  await eventually(() => admits() === 1);
  assert.deepEqual(await warnings(), []);
  await rm(join(where.manifests, 'policy.yaml'));
  await eventually(() => admits() === 0);
});

test('proxies are served TLS with a leaf from identity, under the mesh name of policy', async (t) => {
  const where = await folders(t);
  const authority = anAuthority();
  await writeFile(join(where.state, 'trust-anchors.crt'), authority.pem);
  const identityName = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  const identity = await aGrpcServer(t, {
    methods: fakeIdentity(authority),
    tls: { material: aTlsMaterial(authority, { name: identityName }) },
  });
  const running = await start(where, {
    source: new FakeSource(aPod({ name: 'backend-0' })),
    env: { GATEHOUSE_GRPC_TLS: 'always', GATEHOUSE_IDENTITY_ADDR: `127.0.0.1:${portOf(identity)}` },
  });
  assert.equal(running.name, 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local');
  while ((await ask(`${running.admin}/ready`)).status !== 200) await delay(10);
  const security = { serverName: running.name, trustAnchors: authority.pem };
  const { rows } = proxyOf(t, aGrpcClient(t, { address: running.grpc }, security), 'backend-0');
  await eventually(() => rows.length === 1);
});

test('without a leaf, or before everything has been listed, policy is not ready and says why', async (t) => {
  const where = await folders(t);
  await writeFile(join(where.state, 'trust-anchors.crt'), anAuthority().pem);
  const unlisted = new FakeSource();
  unlisted.run = (_kinds, _deliver, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  unlisted.health = () => [{ kind: 'Pod', synced: false, staleMs: undefined }];
  const running = await start(where, {
    source: unlisted,
    env: { GATEHOUSE_GRPC_TLS: 'always', GATEHOUSE_IDENTITY_ADDR: '127.0.0.1:1' },
  });
  const answer = await ask(`${running.admin}/ready`);
  assert.equal(answer.status, 503);
  assert.match(answer.text, /no serving certificate yet/);
  assert.match(answer.text, /not read yet: Pod/);
});

test('a start that cannot be is refused with what to do, and leaves nothing open', async (t) => {
  const folder = { GATEHOUSE_SOURCE: 'directory:/x', GATEHOUSE_STATE_DIR: '/y' };
  const wrong: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [{ GATEHOUSE_SOURCE: 'cluster' }, /GATEHOUSE_SOURCE/],
    [{ GATEHOUSE_DEFAULT_INBOUND_POLICY: 'allow' }, /GATEHOUSE_DEFAULT_INBOUND_POLICY/],
    [{ GATEHOUSE_PROBE_NETWORKS: 'kubelet' }, /GATEHOUSE_PROBE_NETWORKS/],
    [{ GATEHOUSE_ON_STALE: 'panic' }, /GATEHOUSE_ON_STALE/],
  ];
  for (const [env, message] of wrong) {
    assert.throws(() => readPolicyConfig({ ...folder, ...env }), message);
  }
  assert.equal(readPolicyConfig({ ...folder, GATEHOUSE_PROBE_NETWORKS: '' }).probeNetworks, undefined);
  const where = await folders(t);
  await assert.rejects(start({ ...where, state: join(where.state, 'none') }), /GATEHOUSE_STATE_DIR/);
  const first = await start(where);
  await assert.rejects(start(where), { code: 'already-exists' });
  await first.stop('to try the next');
  const taken = await aGrpcServer(t, { methods: {} });
  const env = { GATEHOUSE_GRPC_ADDR: `127.0.0.1:${portOf(taken)}` };
  await assert.rejects(start(where, { env }), /GATEHOUSE_GRPC_ADDR/);
  await start(where);
});

test('the end sends proxies away and frees the state directory', async (t) => {
  const where = await folders(t);
  const running = await start(where, { source: new FakeSource(aPod({ name: 'backend-0' })) });
  const { rows } = proxyOf(t, aGrpcClient(t, { address: running.grpc }), 'backend-0');
  await eventually(() => rows.length === 1);
  await running.stop('enough');
  assert.deepEqual(await running.ended, { kind: 'stopped', reason: 'enough' });
  await start(where);
});
