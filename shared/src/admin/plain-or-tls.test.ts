import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { anAuthority, aTlsMaterial } from '../../testing/certificates.ts';
import { ask, startedAdmin, token } from '../../testing/started-admin.ts';

test('one port: a client that begins with a TLS handshake is served TLS with the leaf, others plain HTTP', async (t) => {
  const admin = await startedAdmin(t);
  const root = anAuthority();
  const name = 'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  admin.replaceTlsMaterial(aTlsMaterial(root, { name }));
  const { port } = new URL(admin.url);
  const request = httpsRequest({
    host: '127.0.0.1',
    port,
    path: '/v1/health',
    servername: name,
    ca: root.pem,
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  });
  request.end();
  const [response] = await once(request, 'response');
  response.resume();
  assert.equal(response.statusCode, 200);
  assert.equal(response.socket.getProtocol(), 'TLSv1.3');
  await once(response, 'end');
  assert.equal((await ask(`${admin.url}/v1/health`, { token })).status, 200);
});

test('until there is a leaf, a TLS client is hung up on', async (t) => {
  const admin = await startedAdmin(t);
  const { port } = new URL(admin.url);
  const request = httpsRequest({ host: '127.0.0.1', port, path: '/live', agent: false });
  request.end();
  const [error] = await once(request, 'error');
  assert.equal(error.code, 'ECONNRESET');
});

test('closing does not wait for clients that are connected and say nothing', async (t) => {
  const admin = await startedAdmin(t);
  await ask(`${admin.url}/live`);
  const silent = connect(Number(new URL(admin.url).port), '127.0.0.1');
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  silent.resume();
  await admin.close();
  await closed;
});
