import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { openFakeCluster } from '../../../testing/fake-cluster.ts';
import { runCli } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';

const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, annotations: { linkerd.io/inject: enabled } }
---
apiVersion: v1
kind: Pod
metadata: { name: backend-0, namespace: demo }
spec: { containers: [ { name: app, ports: [ { containerPort: 8080 } ] } ] }
`;

/** A command line in `folder`; `said` resolves with the first thing it prints. */
const run = (folder: string, ...args: readonly string[]) => runWith({}, folder, args);

const runWith = (env: Readonly<Record<string, string>>, folder: string, args: readonly string[]) => {
  const interrupt = new AbortController();
  const lines: string[] = [];
  const { promise: said, resolve: say } = Promise.withResolvers<string>();
  const out = (text: string): void => {
    lines.push(text);
    say(text);
  };
  const ended = runCli(args, {
    terminal: { columns: 80, isTty: false, out, err: out, paint: (_, text) => text },
    env: { GATEHOUSE_LOG_LEVEL: 'error', ...env },
    workingDirectory: folder,
    interrupted: interrupt.signal,
  });
  return { said, ended, lines, interrupt: () => interrupt.abort() };
};

test('a port in use is reported with the flag that moves it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-serve-'));
  t.after(() => rm(folder, { recursive: true }));
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { ended, lines } = run(
    folder,
    'serve',
    'destination',
    '--dir',
    folder,
    '--port-base',
    String(port - 6),
  );
  assert.equal(await ended, exitCode.failed);
  assert.deepEqual(lines, [
    `error: destination did not start: 127.0.0.1:${port} is in use: end the process that listens there, or choose another (--port-base N moves all ports together, 0 picks free ones; --host HOST listens elsewhere)`,
  ]);
});

test('a pod is certified by an issuer and anchors that were brought along', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-serve-'));
  t.after(() => rm(folder, { recursive: true }));
  const root = anAuthority({ name: 'our own root' });
  const issuer = anAuthority({ name: 'our own issuer', issuedBy: root });
  const issuerDir = join(folder, 'issuer');
  await mkdir(issuerDir);
  await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
  await writeFile(join(issuerDir, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'roots.pem'), root.pem);
  const manifests = join(folder, 'manifests');
  await mkdir(manifests);
  await writeFile(join(manifests, 'demo.yaml'), manifest);
  const brought = { GATEHOUSE_ISSUER_DIR: issuerDir, GATEHOUSE_TRUST_ANCHORS: join(folder, 'roots.pem') };
  const args = ['serve', 'identity', '--dir', manifests, '--port-base', '0', '-o', 'json'];
  const server = runWith(brought, folder, args);
  try {
    await server.said;
    const certified = run(folder, 'dev', 'certify', 'demo/backend-0', '-o', 'json');
    assert.equal(await certified.ended, exitCode.ok, certified.lines.join('\n'));
    const { certificates } = JSON.parse(certified.lines.join(''));
    assert.deepEqual(
      certificates.map(({ name }: { name: string }) => name),
      ['default.demo.serviceaccount.identity.gatehouse.cluster.local', 'CN=our own issuer'],
    );
  } finally {
    server.interrupt();
    assert.equal(await server.ended, exitCode.ok);
  }
});

test('beside a cluster it says where the webhooks are, if it was told to serve them', async (t) => {
  const { cluster } = await openFakeCluster();
  t.after(() => cluster[Symbol.asyncDispose]());
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'ca.crt'), anAuthority({ name: 'root' }).pem);
  const env = { GATEHOUSE_WEBHOOK_ADDR: '127.0.0.1:0', GATEHOUSE_TRUST_ANCHORS: 'ca.crt' };
  const at = ['--kubeconfig', cluster.server.kubeconfig, '--port-base', '0'];
  const served = runWith(env, folder, ['serve', 'policy', ...at, '--state', 'state', '-o', 'json']);
  const { policy } = JSON.parse(await served.said);
  assert.match(policy.webhook, /^https:\/\/127\.0\.0\.1:[1-9]\d*$/);
  served.interrupt();
  assert.equal(await served.ended, exitCode.ok);
});

test('what serve runs is found by the dev commands through the state directory, until it ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-serve-'));
  await writeFile(join(folder, 'demo.yaml'), manifest);
  // The service that asks for certificates runs apart from the one that signs them, on one state directory.
  const serve = (service: string) =>
    run(folder, 'serve', service, '--dir', folder, '--port-base', '0', '-o', 'json');
  const servers = [serve('identity'), serve('policy')];
  try {
    const [identity, policy] = (await Promise.all(servers.map(({ said }) => said))).map((said) =>
      JSON.parse(said),
    );
    assert.match(identity.identity.admin, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(policy.adminToken, join(folder, '.gatehouse', 'admin-token'));

    const certified = run(folder, 'dev', 'certify', 'demo/backend-0', '-o', 'json');
    assert.equal(await certified.ended, exitCode.ok, certified.lines.join('\n'));
    const [leaf] = JSON.parse(certified.lines.join('')).certificates;
    assert.equal(leaf.name, 'default.demo.serviceaccount.identity.gatehouse.cluster.local');

    const watched = run(folder, 'dev', 'watch', 'demo/backend-0', '8080', '--once', '-o', 'json');
    assert.equal(await watched.ended, exitCode.ok, watched.lines.join('\n'));
    assert.deepEqual(JSON.parse(watched.lines.join('')).server.authorizations, []);
  } finally {
    for (const server of servers) server.interrupt();
    assert.deepEqual(await Promise.all(servers.map(({ ended }) => ended)), [exitCode.ok, exitCode.ok]);
  }
  const left = await readdir(join(folder, '.gatehouse'));
  assert.deepEqual(
    left.filter((name) => /^serve|\.sock$/.test(name)),
    [],
  );
  await rm(folder, { recursive: true });
});
