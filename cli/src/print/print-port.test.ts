import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Behind, Client, ToldServer } from '../reach/policy-answers.ts';
import { shortBehind } from './policy-words.ts';
import { fieldsOf, printFields } from './print-port.ts';

const mesh = 'serviceaccount.identity.gatehouse.cluster.local';

const named = (name: string): Behind => ({ kind: 'default', name });
const object = (kind: string, name: string): Behind => ({
  kind: 'object',
  object: { kind, namespace: 'demo', name },
});

const client = (said: Partial<Client> = {}): Client => ({
  authentication: 'identities',
  identities: [`web.demo.${mesh}`],
  networks: [{ cidr: '10.0.0.7/32', except: [] }],
  by: object('NetworkAuthenticationPolicy', 'p'),
  requests: null,
  source: null,
  ...said,
});

const anybody = client({
  authentication: 'unauthenticated',
  identities: [],
  networks: [
    { cidr: '0.0.0.0/0', except: [] },
    { cidr: '::/0', except: [] },
  ],
  by: named('all-unauthenticated'),
});

const route = (by: Behind, ...matches: readonly string[]): ToldServer['routes'][number] => ({
  by,
  matches: matches.map((text) => ({ text })),
  authorizations: [],
});

const everything = route(named('default'), '* /*');
const guard = route(named('unnormalized-path'), '* <a path that is not normalized>');

const print = (said: Partial<ToldServer>, width?: number): readonly string[] => {
  const server = { protocol: 'http1', access: 'restricted', clients: [], routes: [everything], ...said };
  const about = {
    governedBy: 'default deny',
    because: ({ by }: Client) => shortBehind(by),
    self: `x.demo.${mesh}`,
  };
  return printFields(fieldsOf(server, about), width).split('\n').slice(2);
};

const onApi = client({ requests: [{ text: '* /api/*' }] });

test('what is said of a port never contradicts itself', () => {
  const cases: readonly (readonly [Partial<ToldServer>, readonly string[]])[] = [
    [{ access: 'closed' }, ['admits       nobody', 'denies       all requests: 403']],
    [
      { access: 'open', clients: [anybody] },
      ['admits       anyone from anywhere: everything, by all-unauthenticated'],
    ],
    [
      { clients: [client()] },
      ['admits       web.demo from 10.0.0.7: everything, by nap/p', 'denies       all other requests: 403'],
    ],
    [
      { clients: [onApi], routes: [guard, route(onApi.by, '* /api/*'), everything] },
      [
        'admits       web.demo from 10.0.0.7: * /api/*, by nap/p',
        'denies       all other requests, and those whose path is not normalized: 403',
      ],
    ],
    [
      // The guard keeps nobody out who may do everything.
      { clients: [client(), onApi], routes: [guard, route(onApi.by, '* /api/*'), everything] },
      [
        'admits       web.demo from 10.0.0.7: everything, by nap/p',
        'web.demo from 10.0.0.7: * /api/*, by nap/p',
        'denies       all other requests: 403',
      ],
    ],
    [
      { clients: [client()], routes: [route(object('HTTPRoute', 'api'), 'GET /api/*')] },
      [
        'admits       web.demo from 10.0.0.7: everything, by nap/p',
        'routes       httproute/api: GET /api/*',
        'denies       requests that no route matches: 404',
        'all other requests: 403',
      ],
    ],
    [
      { access: 'open', clients: [anybody], routes: [route(object('HTTPRoute', 'api'))] },
      [
        'admits       anyone from anywhere: everything, by all-unauthenticated',
        'routes       httproute/api: no request',
        'denies       requests that no route matches: 404',
      ],
    ],
    [
      { protocol: 'opaque', clients: [client()], routes: [] },
      [
        'admits       web.demo from 10.0.0.7: everything, by nap/p',
        'denies       all other connections, which are closed',
      ],
    ],
    [
      { protocol: 'tls', access: 'open', clients: [anybody], routes: [] },
      ['admits       anyone from anywhere: everything, by all-unauthenticated'],
    ],
    [
      {
        access: 'open',
        clients: [anybody],
        rateLimit: {
          by: object('HTTPLocalRateLimitPolicy', 'l'),
          total: 100,
          identity: 10,
          overrides: [{ requestsPerSecond: 50, identities: [`web.demo.${mesh}`, `api.demo.${mesh}`] }],
        },
      },
      [
        'admits       anyone from anywhere: everything, by all-unauthenticated',
        'limits       all clients together to 100/s, each identity to 10/s, web.demo and api.demo to 50/s, by httplocalratelimitpolicy/l',
      ],
    ],
    [
      { protocol: 'opaque', access: 'closed', routes: [] },
      ['admits       nobody', 'denies       all connections, which are closed'],
    ],
  ];
  assert.equal(cases.length, 11);
  for (const [said, lines] of cases)
    assert.deepEqual(
      print(said).map((line) => line.trim()),
      lines,
    );
});

test('on a terminal long values go on below themselves', () => {
  const lines = print(
    { clients: [client({ requests: [{ text: 'GET /a' }, { text: 'GET /bb' }, { text: 'GET /ccc' }] })] },
    50,
  );
  assert.deepEqual(lines.slice(0, 2), [
    '  admits       web.demo from 10.0.0.7: GET /a |',
    '               GET /bb | GET /ccc, by nap/p',
  ]);
});
