import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { ask, startedAdmin, token } from '@gatehouse/testing/started-admin';
import { tokenAuthenticator } from './authenticator.ts';
import { PlainOrTls } from './plain-or-tls.ts';

test('one port: a client that begins with a TLS handshake is served TLS with the leaf, others plain HTTP', async (t) => {
  const from: string[] = [];
  const known = tokenAuthenticator(token);
  const admin = await startedAdmin(t, {
    authenticator: {
      authenticate: (one) => {
        from.push(one.from);
        return known.authenticate(one);
      },
    },
  });
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
  // Where it comes from is known in both cases, so that failures are counted for the right address.
  assert.deepEqual(from, ['127.0.0.1', '127.0.0.1']);
});

test('until there is a leaf, who wants TLS is turned away', async (t) => {
  const admin = await startedAdmin(t);
  const { port } = new URL(admin.url);
  const request = httpsRequest({ host: '127.0.0.1', port, path: '/live', agent: false });
  request.end();
  const [error] = await once(request, 'error');
  assert.match(error.message, /ECONNRESET|socket hang up|disconnected before secure/);
});

test('a client that does not believe our certificate is not waited for', { timeout: 60_000 }, async (t) => {
  const listener = new PlainOrTls({ silenceMs: 600_000 });
  listener.replaceTlsMaterial(aTlsMaterial(anAuthority(), { name: 'policy.mesh' }));
  const server = listener.createServer((_, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const connected = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const client = connectTls({ host: '127.0.0.1', port, servername: 'policy.mesh', ca: anAuthority().pem });
  const [error] = await once(client, 'error');
  assert.match(error.message, /certificate/);
  const [socket] = await connected;
  if (!socket.closed) await once(socket, 'close');
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
