import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { callDirect } from './call.ts';
import type { DevState } from './dev-state.ts';
import { admit, aRow, at, podName, someAddress, TestMesh } from './test-mesh.ts';

const service = 'backend.demo.svc.cluster.local:8080';
const url = 'http://backend.demo:8080/hello';

test('a granted caller gets through on the very connections that were denied before', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  const frontend = await mesh.pod('frontend');
  mesh.push('backend', 8080, aRow());
  mesh.service(service, [at(backend, 8080)]);
  await backend.seen('row');
  const denied = await frontend.caller.call({ url });
  assert.equal(denied.status, 403);
  mesh.push('backend', 8080, aRow({ authorizations: [admit(frontend.ip)] }));
  await backend.seen('row', ({ row }) => row.authorizations.length > 0);
  const granted = await frontend.caller.call({ url });
  assert.equal(granted.status, 200);
  assert.deepEqual(granted.connections, denied.connections);
});

test('traffic goes on while the control plane is away, and what it says afterwards counts', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  const frontend = await mesh.pod('frontend');
  mesh.push('backend', 8080, aRow({ authorizations: [admit(frontend.ip)] }));
  mesh.service(service, [at(backend, 8080)]);
  await backend.seen('row', ({ port }) => port === 8080);
  const before = await frontend.caller.call({ url });
  assert.equal(before.status, 200);
  await mesh.stop();
  await backend.seen('stream-lost', ({ call, retryMs }) => call === 'WatchPort' && (retryMs ?? 0) > 0);
  await frontend.seen('stream-lost', ({ call }) => call === 'Get');
  const during = await frontend.caller.call({ url });
  assert.deepEqual([during.status, during.connections], [200, before.connections]);
  mesh.push('backend', 8080, aRow());
  await mesh.start();
  await backend.seen('row', ({ port, row }) => port === 8080 && row.authorizations.length === 0);
  const after = await frontend.caller.call({ url });
  assert.deepEqual([after.status, after.connections], [403, before.connections]);
});

test('the admin port tells readiness and verdicts, under the policy of its own port', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  const ask = async (path: string, from = '127.0.0.1') => {
    const outcome = await callDirect({
      to: { host: backend.ip, port: 4191 },
      from,
      url: `http://pod:4191${path}`,
    });
    assert.ok(outcome.kind === 'answered', path);
    return outcome;
  };
  assert.equal((await ask('/ready')).status, 404, 'no policy yet');
  const initial = JSON.parse((await ask('/dev/state')).body) as DevState;
  assert.deepEqual(
    initial.ports.map(({ port, hash }) => [port, hash]),
    [
      [8080, undefined],
      [4191, undefined],
    ],
  );
  mesh.push('backend', 8080, aRow());
  mesh.push('backend', 4191, aRow());
  await backend.seen('row', ({ port }) => port === 8080);
  await backend.seen('row', ({ port }) => port === 4191);
  assert.deepEqual(
    await Promise.all(['/ready', '/live', '/other'].map(async (path) => (await ask(path)).status)),
    [200, 200, 404],
  );
  assert.equal((await ask('/ready', someAddress())).status, 403);
  assert.equal((await ask('/dev/state', someAddress())).status, 403);
  await callDirect({ to: { host: backend.ip, port: 8080 }, from: someAddress(), url: 'http://backend/' });
  const { body } = await ask('/metrics');
  const denied = body
    .split('\n')
    .find((line) => line.startsWith('inbound_http_authz_deny_total{') && line.includes('target_port="8080"'));
  assert.ok(denied !== undefined, body);
  assert.ok(denied.endsWith(' 1'), denied);
  for (const label of ['srv_name="deny"', 'route_name="default"', 'tls="no_identity"', 'srv_port="8080"']) {
    assert.ok(denied.includes(label), label);
  }
  const state = JSON.parse((await ask('/dev/state')).body) as DevState;
  assert.equal(state.identity, podName);
  assert.match(state.certificate?.serial ?? '', /^[0-9a-f]+$/);
  assert.match(state.ports[0]?.hash ?? '', /^[0-9a-f]{16}$/);
});

/** Runs the real main with this environment and waits for its end. */
const runMain = async (env: Record<string, string>) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env, stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, said };
};

test('an environment that cannot be used ends the process with 64 and every problem at once', async () => {
  const { code, said } = await runMain({ LINKERD2_PROXY_POLICY_SVC_ADDR: '10.0.0.1:8090' });
  assert.equal(code, 64);
  for (const variable of ['IDENTITY_DIR', 'IDENTITY_TRUST_ANCHORS', 'POLICY_WORKLOAD', 'POLICY_SVC_NAME']) {
    assert.ok(said.includes(`LINKERD2_PROXY_${variable}`), `${variable} in ${said}`);
  }
});

test('an address that is taken ends the start with a message that names the variable', async (t) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const backend = await mesh.pod('backend', { ports: [8080] });
  const second = mesh.pod('backend', {
    ports: [8081],
    env: { LINKERD2_PROXY_ADMIN_LISTEN_ADDR: at(backend, 8080) },
  });
  await assert.rejects(second, /cannot listen on .*:8080 \(LINKERD2_PROXY_ADMIN_LISTEN_ADDR\)/);
});
