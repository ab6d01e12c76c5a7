import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask, startedAdmin, things, token } from '@gatehouse/testing/started-admin';
import { createLog } from '../log/log.ts';

test('every error is problem details: what, where and a code for programs', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  const json = { 'content-type': 'application/json' };
  const cases: readonly {
    readonly path: string;
    readonly init?: RequestInit;
    readonly status: number;
    readonly code: string;
    readonly detail: string;
  }[] = [
    { path: '/nothing', status: 404, code: 'not-found', detail: 'there is no /nothing here' },
    { path: '/v1/nothing?x=1', status: 404, code: 'not-found', detail: 'there is no /v1/nothing here' },
    { path: '/v1/missing', status: 404, code: 'not-found', detail: 'no pod demo/x' },
    {
      path: '/v1/health',
      init: { method: 'DELETE' },
      status: 405,
      code: 'method-not-allowed',
      detail: '/v1/health has GET, HEAD, not DELETE',
    },
    {
      path: '/v1/%zz',
      status: 400,
      code: 'invalid-argument',
      detail: "'/v1/%zz' is not a valid url component",
    },
    {
      path: '/v1/things/demo?limit=0',
      status: 400,
      code: 'invalid-argument',
      detail: 'query.limit must be >= 1',
    },
    {
      path: '/v1/things/demo?limit=2.5',
      status: 400,
      code: 'invalid-argument',
      detail: 'query.limit must be integer',
    },
    {
      path: '/v1/things/demo?limt=2',
      status: 400,
      code: 'invalid-argument',
      detail: 'query.limt is not a parameter of this path',
    },
    {
      path: '/v1/health?namespace=x',
      status: 400,
      code: 'invalid-argument',
      detail: 'query.namespace is not a parameter of this path',
    },
    {
      path: '/v1/things/demo?continue=%21',
      status: 400,
      code: 'invalid-argument',
      detail: '`continue` must be what the page before said',
    },
    {
      path: '/v1/things',
      init: { method: 'POST', headers: json, body: '{"size":"1"}' },
      status: 400,
      code: 'invalid-argument',
      detail: 'body.size must be integer',
    },
    {
      path: '/v1/things',
      init: { method: 'POST', headers: json, body: '{"size":' },
      status: 400,
      code: 'invalid-argument',
      detail: "Body is not valid JSON but content-type is set to 'application/json'",
    },
    {
      path: '/v1/things',
      init: { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'size=1' },
      status: 415,
      code: 'unsupported-media-type',
      detail: 'Unsupported Media Type',
    },
    {
      path: '/v1/things',
      init: { method: 'POST', headers: json, body: JSON.stringify('x'.repeat(1024 * 1024)) },
      status: 413,
      code: 'content-too-large',
      detail: 'Request body is too large',
    },
    { path: '/v1/broken', status: 500, code: 'internal', detail: 'internal error' },
  ];
  for (const { path, init, status, code, detail } of cases) {
    const answer = await ask(`${admin.url}${path}`, { ...init, token });
    assert.equal(answer.headers.get('content-type'), 'application/problem+json', path);
    assert.deepEqual(
      [answer.status, answer.json.status, answer.json.code, answer.json.detail],
      [status, status, code, detail],
    );
    assert.equal(answer.json.type, `urn:gatehouse:problem:${code}`);
  }
  assert.equal(cases.length, 15);
});

test('a wrong method is told the right ones', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  const answer = await ask(`${admin.url}/v1/things/demo`, { method: 'POST', token });
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'GET, HEAD']);
  const live = await ask(`${admin.url}/live`, { method: 'POST' });
  assert.deepEqual([live.status, live.headers.get('allow')], [405, 'GET, HEAD']);
});

test('what broke inside is in the log and not in the answer', async (t) => {
  const lines: string[] = [];
  const log = createLog({
    service: 'policy',
    level: 'info',
    format: 'json',
    to: { write: (line) => void lines.push(line) },
  });
  const admin = await startedAdmin(t, { routes: things, log });
  const answer = await ask(`${admin.url}/v1/broken`, { token });
  assert.ok(!answer.text.includes('1234'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /the password is 1234.*\/v1\/broken|\/v1\/broken.*the password is 1234/);
});

const rawAnswer = async (url: string, bytes: string): Promise<string> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(bytes);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  return Buffer.concat(parts).toString();
};

test('bytes that are not an HTTP get problem details too, and the server lives on', async (t) => {
  const admin = await startedAdmin(t);
  assert.match(
    await rawAnswer(admin.url, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*problem\+json[\s\S]*"code":"invalid-argument"/,
  );
  assert.match(
    await rawAnswer(admin.url, `GET /live HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [\s\S]*"code":"headers-too-large"/,
  );
  assert.equal(await rawAnswer(admin.url, ''), '');
  assert.equal((await ask(`${admin.url}/live`)).status, 200);
});
