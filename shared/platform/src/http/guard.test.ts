import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { ask, startedAdmin, things, token } from '@gatehouse/testing/started-admin';
import fc from 'fast-check';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { AdminAuthenticator, AdminCaller } from './authenticator.ts';
import { guard } from './guard.ts';

const jane: AdminCaller = { name: 'jane', mayRead: async () => true };

test('every /v1 route of the table, known or not, answers 401 without an accepted caller, on loopback too', async (t) => {
  const admin = await startedAdmin(t, { routes: things });
  const open = ['/live', '/ready', '/metrics'];
  const closed = admin.routes.filter(
    ({ pattern, access }) => !open.includes(pattern) && access !== 'replicas',
  );
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

test('the authenticator is told verb, the path that is served, and where from', async (t) => {
  const asked: unknown[] = [];
  const admin = await startedAdmin(t, {
    routes: things,
    authenticator: {
      authenticate: async (request) => {
        asked.push(request);
        return { kind: 'accepted', caller: jane };
      },
    },
  });
  await ask(`${admin.url}/%76%31/things/de%6do?limit=1`, { token });
  await ask(`${admin.url}/v1/things/..%2f..%2fhealth`, { token, method: 'HEAD' });
  await ask(`${admin.url}/v1/%6eothing?namespace=demo`);
  assert.deepEqual(asked, [
    { token, verb: 'get', path: '/v1/things/demo', from: '127.0.0.1' },
    { token, verb: 'get', path: '/v1/things/..%2F..%2Fhealth', from: '127.0.0.1' },
    { token: undefined, verb: 'get', path: '/v1/%6eothing', from: '127.0.0.1' },
  ]);
});

test('a `namespace` parameter, in path or query, needs permission on what the route reads', async (t) => {
  const asked: unknown[] = [];
  const caller: AdminCaller = {
    name: 'jane',
    mayRead: async (resource, namespace) => {
      asked.push([resource, namespace]);
      return namespace === 'demo';
    },
  };
  const admin = await startedAdmin(t, {
    routes: things,
    authenticator: { authenticate: async () => ({ kind: 'accepted', caller }) },
  });
  const statuses = [];
  for (const path of ['things/demo', 'things/other', 'streams?namespace=demo', 'streams?namespace=other']) {
    statuses.push((await ask(`${admin.url}/v1/${path}`, { token })).status);
  }
  assert.deepEqual(statuses, [200, 403, 200, 403]);
  const { json } = await ask(`${admin.url}/v1/things/other`, { token });
  assert.equal(json.detail, 'jane may not get services.gatehouse.dev in the namespace other');
  // A namespace twice is not a valid namespace: the guard asks about none, and the schema refuses the request.
  const twice = await ask(`${admin.url}/v1/streams?namespace=demo&namespace=other`, { token });
  assert.equal(twice.status, 400);
  assert.deepEqual(asked[1], ['services', 'other']);
  assert.deepEqual(asked[2], ['streams', 'demo']);
});

test('a route that does not say what its callers need cannot be added', async (t) => {
  await assert.rejects(
    startedAdmin(t, { routes: (app) => app.get('/v1/forgotten', async () => 'all') }),
    new TypeError('/v1/forgotten does not say what its callers need'),
  );
});

/** The parts of a request that the guard looks at, as they are for a client that is not on this machine. */
const fromAfar = (socket: object): FastifyRequest =>
  ({
    url: '/v1/health',
    method: 'GET',
    is404: false,
    routeOptions: { url: '/v1/health', config: { access: 'mesh' } },
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
      return { kind: 'accepted', caller: jane };
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

test('however a URL is spelled, permission is asked for what the handler serves, in one spelling', async (t) => {
  const told: string[] = [];
  const served: string[] = [];
  const admin = await startedAdmin(t, {
    routes: (app) => {
      const schema = { params: Type.Object({ name: Type.String() }) };
      app.get('/v1/things/:name', { config: { access: 'mesh' }, schema }, async ({ params }) => {
        served.push(params.name);
        return {};
      });
    },
    authenticator: {
      authenticate: async ({ path }) => {
        told.push(path);
        return { kind: 'accepted', caller: jane };
      },
    },
  });
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const escaped = (text: string): string => `%${Buffer.from(text).toString('hex')}`;
  const piece = fc.oneof(
    fc.constantFrom(
      '/v1/things/',
      'demo',
      '/',
      '..',
      '.',
      '%2e%2e',
      '%2f',
      '%2F',
      '//',
      ';',
      ':',
      '*',
      '%25',
      '%5c',
    ),
    fc.constantFrom('v', '1', 't', 'a').map(escaped),
  );
  const path = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => `/v1/things/${pieces.join('')}`),
    fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
  );
  let reached = 0;
  await fc.assert(
    fc.asyncProperty(path, async (url) => {
      told.length = 0;
      served.length = 0;
      const status = await rawStatus(admin.url, url, agent);
      const [name] = served;
      if (name === undefined) {
        assert.notEqual(status, 200, url);
        return;
      }
      reached += 1;
      assert.deepEqual(told, [`/v1/things/${encodeURIComponent(name)}`], url);
    }),
    { numRuns: 500 },
  );
  assert.ok(reached > 50, `only ${reached} of them reached the handler`);
});

/** `fetch` would tidy up the path. */
const rawStatus = async (admin: string, path: string, agent: Agent): Promise<number> => {
  const { hostname, port } = new URL(admin);
  const headers = { authorization: `Bearer ${token}` };
  const asked = request({ hostname, port, path, headers, agent });
  asked.end();
  const [response] = await once(asked, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
};
