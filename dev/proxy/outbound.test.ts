import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { everywhere } from '@gatehouse/core/ip-network';
import type { WorkloadAnswer } from '../demo/workload.ts';
import { startWorkload } from '../demo/workload.ts';
import { admit, aRow, at, podName, someAddress, TestMesh, type TestPod } from './test-mesh.ts';

const anybody = {
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: { kind: 'default', name: 'all' },
} as const;

const service = 'backend.demo.svc.cluster.local:8080';
const url = 'http://backend.demo:8080/x';

/** Two pods; the backend admits the frontend by identity and address. */
const aPair = async (t: TestContext) => {
  const mesh = new TestMesh(t);
  await mesh.start();
  const frontend = await mesh.pod('frontend');
  const backend = await aBackend(mesh, { name: 'backend', frontend });
  return { mesh, frontend, backend };
};

const aBackend = async (
  mesh: TestMesh,
  { name, frontend }: { readonly name: string; readonly frontend: TestPod },
): Promise<TestPod> => {
  const backend = await mesh.pod(name, { ports: [8080] });
  mesh.push(name, 8080, aRow({ authorizations: [admit(frontend.ip)] }));
  await backend.seen('row', ({ port }) => port === 8080);
  return backend;
};

const bodyOf = ({ body }: { readonly body: string }): WorkloadAnswer => JSON.parse(body) as WorkloadAnswer;

test('endpoints are reached as they ask to be: HTTP/2, HTTP/1 and plaintext', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  for (const [name, how, tls] of [
    ['two', 'meshed', 'mtls'],
    ['one', 'meshed-http1', 'mtls'],
  ] as const) {
    mesh.service(`${name}.demo.svc.cluster.local:8080`, [at(backend, 8080)], how);
    const calls = [1, 2].map(() => frontend.caller.call({ url: `http://${name}.demo:8080/${name}` }));
    const [first, second] = await Promise.all(calls);
    assert.equal(first?.status, 200, name);
    assert.deepEqual(first?.connections, second?.connections, 'kept');
    const seen = await backend.seen('inbound-request', ({ path }) => path === `/${name}`);
    assert.equal(seen.client.tls, tls, name);
    assert.equal(seen.connection, first?.connections.upstream, 'both sides name the connection alike');
  }
  const plain = await startWorkload({ name: 'unmeshed', listen: [{ host: someAddress(), port: 0 }] });
  t.after(() => plain.stop());
  mesh.service('plain.demo.svc.cluster.local:80', plain.addresses, 'plain');
  assert.equal(bodyOf(await frontend.caller.call({ url: 'http://plain.demo/' })).workload, 'unmeshed');
});

test('paths travel as they were written', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  mesh.service(service, [at(backend, 8080)]);
  for (const path of ['/api/../admin', '//admin', '/a%2e%2e/b', '/;x', '/?a=/../b']) {
    const answer = bodyOf(await frontend.caller.call({ url: `http://backend.demo:8080${path}` }));
    assert.equal(answer.path, path);
  }
});

test('a pod is reached by its address with the identity of its profile, and an unknown address in plaintext', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  mesh.profile(at(backend, 8080));
  const known = await frontend.caller.call({ url: `http://${at(backend, 8080)}/` });
  assert.equal(bodyOf(known).headers['l5d-client-id'], podName);
  const plain = await startWorkload({ name: 'elsewhere', listen: [{ host: '127.0.0.1', port: 0 }] });
  t.after(() => plain.stop());
  const other = await mesh.pod('other', { env: { LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS: '' } });
  const unknown = await other.caller.call({ url: `http://${plain.addresses[0]}/` });
  assert.equal(bodyOf(unknown).workload, 'elsewhere');
});

test('a name that is not a Service is answered 502 and said to be none', async (t) => {
  const { frontend } = await aPair(t);
  const { status, headers } = await frontend.caller.call({ url: 'http://nothing.demo/' });
  assert.equal(status, 502);
  assert.match(String(headers['l5d-proxy-error']), /knows no Service nothing\.demo\.svc\.cluster\.local:80/);
});

test('a Service that comes to be is found, on a connection that asked for it too early', async (t) => {
  const { mesh, backend } = await aPair(t);
  const env = { LINKERD2_PROXY_OUTBOUND_DISCOVERY_IDLE_TIMEOUT: '1ms' };
  const early = await mesh.pod('early', { env });
  mesh.push('backend', 8080, aRow({ authorizations: [admit(early.ip)] }));
  assert.equal((await early.caller.call({ url })).status, 502);
  mesh.service(service, [at(backend, 8080)]);
  let last = await early.caller.call({ url });
  while (last.status === 502) last = await early.caller.call({ url });
  assert.notEqual(last.connections.upstream, undefined);
});

test('an endpoint that cannot be reached is passed over, and one of another identity is never spoken to', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  mesh.service(service, [`${someAddress()}:8080`, at(backend, 8080)]);
  for (let call = 0; call < 6; call += 1) assert.equal((await frontend.caller.call({ url })).status, 200);
  const impostor = new TestMesh(t);
  await impostor.start();
  const stranger = await impostor.pod('backend', { ports: [8080] });
  impostor.push('backend', 8080, aRow({ authorizations: [anybody] }));
  mesh.service('stranger.demo.svc.cluster.local:8080', [at(stranger, 8080)]);
  const refused = await frontend.caller.call({ url: 'http://stranger.demo:8080/' });
  assert.equal(refused.status, 504);
  assert.match(String(refused.headers['l5d-proxy-error']), /failfast: no connection to/);
});

test('endpoints that come and go are followed', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  const second = await aBackend(mesh, { name: 'second', frontend });
  mesh.service(service, [at(backend, 8080)]);
  assert.equal(bodyOf(await frontend.caller.call({ url })).workload, 'backend');
  mesh.replace(service, [at(second, 8080)]);
  await frontend.seen('endpoints', ({ endpoints }) => endpoints[0]?.address === at(second, 8080));
  assert.equal(bodyOf(await frontend.caller.call({ url })).workload, 'second');
});

test('a backend that starts again is reached over a new connection, HTTP/2 and HTTP/1', async (t) => {
  for (const how of ['meshed', 'meshed-http1'] as const) {
    const { mesh, frontend, backend } = await aPair(t);
    mesh.service(service, [at(backend, 8080)], how);
    const before = await frontend.caller.call({ url });
    await backend.proxy.stop('restart');
    const again = await mesh.pod('backend', { ports: [8080], ip: backend.ip });
    await again.seen('row', ({ port }) => port === 8080);
    const after = await frontend.caller.call({ url });
    assert.deepEqual([before.status, after.status], [200, 200], how);
    // The new backend has accepted it; the system may give it the ports of the old one, so its name proves nothing.
    const { connection } = await again.seen('inbound-request');
    assert.equal(connection, after.connections.upstream);
  }
});

test('what cannot be read costs a stream or an answer, and nothing else', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  mesh.service(service, [at(backend, 8080)]);
  const before = await frontend.caller.call({ url });
  mesh.garble(service, Uint8Array.of(0xff, 0xff));
  await frontend.seen('stream-lost', ({ call }) => call === 'Get');
  const after = await frontend.caller.call({ url });
  assert.deepEqual([after.status, after.connections], [200, before.connections]);
  const babble = createServer((socket) => socket.on('error', () => {}).end('\u0000\u0001 not http'));
  babble.listen(0, '127.0.0.1');
  await once(babble, 'listening');
  t.after(() => babble.close());
  const { port } = babble.address() as AddressInfo;
  mesh.service('babble.demo.svc.cluster.local:80', [`127.0.0.1:${port}`], 'plain');
  assert.equal((await frontend.caller.call({ url: 'http://babble.demo/' })).status, 502);
});

const openTunnel = async (frontend: TestPod, target: string): Promise<{ status: number; socket: Socket }> => {
  const proxy = parseHostPort(frontend.proxy.httpProxy ?? '');
  assert.ok(proxy.ok);
  const out = request({ ...proxy.value, method: 'CONNECT', path: target });
  out.end();
  const [response, socket] = await once(out, 'connect');
  return { status: response.statusCode, socket };
};

test('a tunnel carries raw bytes over mutual TLS, and HTTP by requests', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  mesh.service(service, [at(backend, 8080)]);
  const http = await openTunnel(frontend, 'backend.demo:8080');
  assert.equal(http.status, 200);
  http.socket.write('GET /tunnel HTTP/1.1\r\nhost: backend.demo\r\nconnection: close\r\n\r\n');
  assert.match(String((await once(http.socket, 'data'))[0]), /^HTTP\/1\.1 200/);
  const seen = await frontend.seen('outbound-request', ({ path }) => path === '/tunnel');
  assert.equal(seen.identity, podName);
  const raw = await openTunnel(frontend, 'backend.demo:8080');
  raw.socket.on('error', () => {}).end('\u0000not http');
  const tcp = await backend.seen('inbound-tcp');
  assert.deepEqual([tcp.client.tls, tcp.client.address, tcp.verdict], ['mtls', frontend.ip, 'allowed']);
  raw.socket.destroy();
  const bad = await openTunnel(frontend, 'backend.demo:99999');
  assert.equal(bad.status, 400);
  bad.socket.destroy();
});

test('a request that is not for a forward proxy is told so', async (t) => {
  const { frontend } = await aPair(t);
  const proxy = parseHostPort(frontend.proxy.httpProxy ?? '');
  assert.ok(proxy.ok);
  const out = request({ ...proxy.value, path: '/x' });
  out.end();
  const [response] = await once(out, 'response');
  response.resume();
  assert.equal(response.statusCode, 400);
  assert.match(response.headers['l5d-proxy-error'], /forward proxy/);
});

test('a caller that waits for the control plane is served when it comes', async (t) => {
  const { mesh, frontend, backend } = await aPair(t);
  await mesh.stop();
  const waiting = frontend.caller.call({ url });
  await frontend.seen(
    'stream-lost',
    ({ call, reason }) => call === 'Watch' && reason.includes('unavailable'),
  );
  mesh.service(service, [at(backend, 8080)]);
  await mesh.start();
  assert.equal((await waiting).status, 200);
});
