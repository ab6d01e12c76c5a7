import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';
import { Type } from 'typebox';
import { type AdminApi, adminApi, type Transport } from './admin-client.ts';
import { meshNameOf } from './open-admin.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const apiOver = (transport: Transport, signal = new AbortController().signal): AdminApi =>
  adminApi({
    service: 'identity',
    place: 'there',
    token: 'sesame',
    ifUnknown: 'get another',
    ifAway: 'start it',
    transport,
    signal,
  });

const answering = async (t: TestContext, answer: Answer): Promise<AdminApi> => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return apiOver({ kind: 'url', url: new URL(`http://127.0.0.1:${port}`) });
};

const problem =
  (status: number, body: object | string): Answer =>
  (_request, response) => {
    response.writeHead(status);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

test('the token and the parameters that are given go with a request', async (t) => {
  const api = await answering(t, ({ url, headers }, response) =>
    response.end(`${url} ${headers.authorization}`),
  );
  assert.equal(
    await api.text('/v1/certificates', { limit: 2, pod: 'a/b', active: undefined }),
    '/v1/certificates?limit=2&pod=a%2Fb Bearer sesame',
  );
});

test('a refusal is told with what to do next', async (t) => {
  const cases: readonly (readonly [Answer, string, RegExp])[] = [
    [
      problem(400, { code: 'invalid-argument', detail: 'query.pod is odd' }),
      'invalid-argument',
      /^--pod is odd$/,
    ],
    [
      problem(401, { code: 'unauthenticated', detail: 'no' }),
      'unauthenticated',
      /token \(no\): get another$/,
    ],
    [
      problem(403, { code: 'permission-denied', detail: 'ann may not' }),
      'permission-denied',
      /^ann may not: an admin/,
    ],
    [
      problem(404, 'page not found'),
      'not-found',
      /nobody serves \/v1\/x there: is it identity's admin port\?/,
    ],
    [
      problem(404, { code: 'not-found', detail: 'no such pod' }),
      'not-found',
      /identity answers 404: no such pod/,
    ],
    [
      problem(503, { code: 'unavailable', detail: 'no issuer' }),
      'unavailable',
      /identity answers 503: no issuer/,
    ],
    [problem(502, '<html>'), 'unavailable', /identity answers 502: <html>/],
    [problem(500, ''), 'unavailable', /identity answers 500: nothing else/],
    [
      (request) => void request.socket.destroy(),
      'unavailable',
      /no identity service answers at there \(.*\): start it/,
    ],
  ];
  assert.equal(cases.length, 9);
  for (const [answer, code, message] of cases) {
    const api = await answering(t, answer);
    await assert.rejects(api.text('/v1/x'), { code, message });
  }
});

test('an answer of another form is said to be of another version, and more fields are no harm', async (t) => {
  const schema = Type.Object({ a: Type.Number() });
  const good = await answering(t, problem(200, { a: 1, b: 2 }));
  assert.deepEqual(await good.json(schema, '/v1/x'), { a: 1, b: 2 });
  for (const body of [{ a: '1' }, 'no json', '[]']) {
    const api = await answering(t, problem(200, body));
    await assert.rejects(api.json(schema, '/v1/x'), {
      code: 'failed-precondition',
      message: /there answers \/v1\/x in a form that this command does not read/,
    });
  }
});

test('who interrupts a command gets no error of the connection', async (t) => {
  const interrupt = new AbortController();
  const server = createServer(() => interrupt.abort('SIGINT'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const api = apiOver({ kind: 'url', url: new URL(`http://127.0.0.1:${port}`) }, interrupt.signal);
  await assert.rejects(api.text('/v1/x'), (thrown) => thrown === 'SIGINT');
});

test('over TLS only the service that is asked is believed, whatever else the mesh has certified', async (t) => {
  const root = anAuthority({ name: 'root' });
  const text = async (name: string): Promise<string> => {
    const { key, chain } = aTlsMaterial(root, { name });
    const server = createTlsServer(
      { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: chain.map(pemOf).join('') },
      (_request, response) => response.end('good'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const tls = { ca: root.pem, checkServerIdentity: meshNameOf('identity', 'gatehouse') };
    return apiOver({ kind: 'url', url: new URL(`https://127.0.0.1:${port}`), tls }).text('/v1/x');
  };
  const own = 'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
  assert.equal(await text(own), 'good');
  const others = [
    'web.demo.serviceaccount.identity.gatehouse.cluster.local',
    // A user who may make ServiceAccounts in a namespace may call one so.
    'gatehouse-identity.demo.serviceaccount.identity.gatehouse.cluster.local',
    `x.${own}`,
    'gatehouse-identity.gatehouse',
  ];
  for (const name of others) {
    await assert.rejects(
      text(name),
      { code: 'unavailable', message: /not gatehouse-identity\.gatehouse\)/ },
      name,
    );
  }
});
