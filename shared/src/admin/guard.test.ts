import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyRequest } from 'fastify';
import { ask, startedAdmin, things, token } from '../../testing/started-admin.ts';
import { GatehouseError } from '../error.ts';
import { type AdminAuthenticator, refuseAll } from './authenticator.ts';
import { guard } from './guard.ts';

test('every /v1 route of the table, known or not, answers 401 without an accepted caller, on loopback too', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  const open = ['/live', '/ready', '/metrics'];
  const closed = admin.routes.filter(({ pattern }) => !open.includes(pattern));
  assert.equal(closed.length, 13);
  assert.ok(closed.some(({ pattern }) => pattern === '/v1/openapi.json'));
  const unknown = [
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v1/health/',
    '/%76%31/health',
    '/v1%2fhealth',
    '/v1/%zz',
  ].map((pattern) => ({ method: 'GET', pattern }));
  for (const { method, pattern } of [...closed, ...unknown]) {
    for (const wrong of [undefined, '', 'Sesame', `${token}x`, token.slice(1)]) {
      const answer = await ask(`${admin.url}${pattern.replace(':namespace', 'demo')}`, {
        method,
        ...(wrong === undefined ? {} : { token: wrong }),
      });
      assert.equal(answer.status, 401, `${method} ${pattern} with ${wrong}`);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="gatehouse"');
      if (method !== 'HEAD') assert.equal(answer.json.code, 'unauthenticated');
    }
  }
});

test('the token opens every /v1 route, however the scheme is spelt', async (t) => {
  const admin = await startedAdmin(t);
  for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token} `]) {
    const answer = await ask(`${admin.url}/v1/health`, { headers: { authorization } });
    assert.equal(answer.status, 200, authorization);
  }
  for (const authorization of [token, `Basic ${token}`, `Bearer ${token} ${token}`]) {
    const answer = await ask(`${admin.url}/v1/health`, { headers: { authorization } });
    assert.equal(answer.status, 401, authorization);
  }
});

test('an authenticator that recognises but refuses the caller makes 403, one that cannot say 503', async (t) => {
  const caller = { name: 'jane' };
  const refusing = await startedAdmin(t, {
    authenticator: { authenticate: async () => ({ kind: 'refused', caller }) },
  });
  const refused = await ask(`${refusing.url}/v1/health`, { token });
  assert.deepEqual([refused.status, refused.json.detail], [403, 'jane may not get /v1/health']);
  const failing = await startedAdmin(t, {
    authenticator: {
      authenticate: async () => {
        throw new GatehouseError('unavailable', 'the API server does not answer');
      },
    },
  });
  assert.equal((await ask(`${failing.url}/v1/health`, { token })).status, 503);
});

test('the authenticator is told verb, route and namespace', async (t) => {
  const asked: unknown[] = [];
  const admin = await startedAdmin(t, {
    routes: things,
    authenticator: {
      authenticate: async (request) => {
        asked.push(request);
        return { kind: 'accepted', caller: { name: 'jane' } };
      },
    },
  });
  await ask(`${admin.url}/v1/things/demo?limit=1`, { token });
  await ask(`${admin.url}/v1/nothing?namespace=demo`);
  assert.deepEqual(asked, [
    { token, verb: 'get', path: '/v1/things/:namespace', namespace: 'demo' },
    { token: undefined, verb: 'get', path: '/v1/nothing', namespace: 'demo' },
  ]);
});
/** The parts of a request that the guard looks at, as they are for a client that is not on this machine. */
const fromAfar = (socket: object): FastifyRequest =>
  ({
    url: '/v1/health',
    method: 'GET',
    is404: false,
    routeOptions: { url: '/v1/health', config: {} },
    headers: { authorization: `Bearer ${token}` },
    params: {},
    query: {},
    socket,
  }) as unknown as FastifyRequest;

test('beyond loopback plain HTTP is refused with the way to go, and the token is not even looked at', async () => {
  let asked = 0;
  const authenticator: AdminAuthenticator = {
    authenticate: async () => {
      asked += 1;
      return { kind: 'accepted', caller: { name: 'jane' } };
    },
  };
  for (const localAddress of ['10.0.0.7', '::ffff:10.0.0.7', 'fd00::7', undefined]) {
    await assert.rejects(guard(fromAfar({ localAddress }), authenticator), {
      code: 'unauthenticated',
      message: 'over plain HTTP the REST API answers only on loopback: use TLS, or kubectl port-forward',
    });
  }
  assert.equal(asked, 0);
  await guard(fromAfar({ localAddress: '10.0.0.7', encrypted: true }), authenticator);
  await guard(fromAfar({ localAddress: '::ffff:127.0.0.1' }), authenticator);
  assert.equal(asked, 2);
});

test('where nobody can be recognised, nobody is served', async (t) => {
  const admin = await startedAdmin(t, { authenticator: refuseAll });
  assert.equal((await ask(`${admin.url}/v1/health`, { token })).status, 401);
});
