import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  anAttempt,
  anybody,
  aRequest,
  aServerRow,
  defaultMeta,
  httpMatch,
  ipOf,
  matchesRegex,
  prefix,
} from '@gatehouse/testing/inbound-attempt';
import { everywhere, type NetworkMatch, parseNetwork } from '../ip-network.ts';
import { parseIdentity } from '../mesh/workload-identity.ts';
import { type Attempt, type ClientTls, evaluate, invalidServer } from './evaluate-inbound.ts';
import type {
  Authentication,
  Authorization,
  HttpRoute,
  InboundProtocol,
  InboundServer,
} from './inbound-server.ts';

const network = (cidr: string, ...except: string[]): NetworkMatch => {
  const [net, ...holes] = [cidr, ...except].map((text) => {
    const read = parseNetwork(text);
    assert(read.ok);
    return read.value;
  });
  assert(net !== undefined);
  return { net, except: holes };
};
const outcome = (server: InboundServer, attempt: Attempt): string => {
  const verdict = evaluate(server, attempt, matchesRegex);
  if (verdict.kind === 'denied') return verdict.reason;
  return verdict.authorization.kind === 'default' ? verdict.authorization.name : 'resource';
};

const tcp = { kind: 'tcp' } as const;
const frontend = 'default.demo.serviceaccount.identity.gatehouse.cluster.local';
const dns = (name: string): ClientTls => ({ kind: 'identified', id: 'dns', name });
const uri = (name: string): ClientTls => ({ kind: 'identified', id: 'uri', name });
const identities = (
  names: readonly string[],
  suffixes: readonly (readonly string[])[] = [],
): Authentication => ({
  kind: 'identities',
  identities: names.map(parseIdentity),
  suffixes,
});

describe('an authentication admits the clients that contract/proxy.md §6.2 says', () => {
  const rows: readonly (readonly [string, Authentication, ClientTls, boolean])[] = [
    ['unauthenticated, plaintext', { kind: 'unauthenticated' }, { kind: 'none' }, true],
    ['unauthenticated, port skipped', { kind: 'unauthenticated' }, { kind: 'port-skipped' }, true],
    ['unauthenticated, identified', { kind: 'unauthenticated' }, dns(frontend), true],
    ['tls, plaintext', { kind: 'tls' }, { kind: 'none' }, false],
    ['tls, port skipped', { kind: 'tls' }, { kind: 'port-skipped' }, false],
    ['tls, anonymous', { kind: 'tls' }, { kind: 'anonymous' }, true],
    ['tls, identified', { kind: 'tls' }, dns(frontend), true],
    ['identity, plaintext', identities([frontend]), { kind: 'none' }, false],
    ['identity, anonymous', identities([frontend]), { kind: 'anonymous' }, false],
    ['identity, the same', identities([frontend]), dns(frontend), true],
    ['identity, another', identities([frontend]), dns('web.demo'), false],
    ['identity, upper case is another', identities([frontend.toUpperCase()]), dns(frontend), false],
    ['identity, URI exact', identities(['spiffe://td/a']), uri('spiffe://td/a'), true],
    ['identity, URI another', identities(['spiffe://td/a']), uri('spiffe://td/ab'), false],
    ['suffix, below it', identities([], [['demo', 'local']]), dns('a.demo.local'), true],
    ['suffix, the bare suffix', identities([], [['demo', 'local']]), dns('demo.local'), false],
    ['suffix, only ends like it', identities([], [['demo', 'local']]), dns('a.xdemo.local'), false],
    ['suffix, empty = any DNS id', identities([], [[]]), dns('anyone'), true],
    ['suffix, empty is not a valid URI', identities([], [[]]), uri('spiffe://td/a'), false],
    ['suffix, a URI that ends so', identities([], [['a']]), uri('spiffe://td/.a'), false],
    ['suffix, anonymous', identities([], [[]]), { kind: 'anonymous' }, false],
    ['nothing listed', identities([]), dns(frontend), false],
  ];
  it('covers the table', () => assert.equal(rows.length, 22));
  for (const [title, authentication, tls, admitted] of rows) {
    it(title, () => {
      const server = aServerRow({
        authorizations: [{ networks: everywhere, authentication, meta: defaultMeta('it') }],
      });
      assert.equal(outcome(server, anAttempt({ tls })), admitted ? 'it' : 'unauthorized');
      assert.equal(outcome(server, anAttempt({ tls, traffic: tcp })), admitted ? 'it' : 'unauthorized');
    });
  }
});

describe('an authorization holds for its networks less their exceptions', () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['10.1.2.3', true],
    ['10.9.0.1', false],
    ['::ffff:10.1.2.3', true],
    ['11.0.0.1', false],
    ['fd00::1', true],
    ['fd00::bad', false],
    ['2001:db8::1', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 7));
  const networks = [network('10.0.0.0/8', '10.9.0.0/16'), network('fd00::/8', 'fd00::bad')];
  const server = aServerRow({
    authorizations: [{ networks, authentication: { kind: 'unauthenticated' }, meta: defaultMeta('it') }],
  });
  for (const [client, admitted] of rows) {
    it(`${client} is ${admitted ? 'admitted' : 'refused'}`, () => {
      assert.equal(outcome(server, anAttempt({ client: ipOf(client) })), admitted ? 'it' : 'unauthorized');
    });
  }
});

describe('authorizations are asked in order', () => {
  const route = (authorizations: readonly Authorization[]): HttpRoute => ({
    meta: defaultMeta('route'),
    hosts: [],
    authorizations,
    rules: [{ matches: [], filters: [] }],
  });
  const detect = (routes: readonly HttpRoute[]): InboundProtocol => ({
    kind: 'detect',
    timeoutMs: 1,
    routes,
  });

  it("a route's own come before the server's", () => {
    const server = aServerRow({
      protocol: detect([route([anybody('of the route')])]),
      authorizations: [anybody('of the server')],
    });
    assert.equal(outcome(server, anAttempt()), 'of the route');
    assert.equal(outcome(server, anAttempt({ traffic: tcp })), 'of the server');
  });

  it("the server's admit on every route", () => {
    const server = aServerRow({ protocol: detect([route([])]), authorizations: [anybody('of the server')] });
    assert.equal(outcome(server, anAttempt()), 'of the server');
  });

  it('of two that hold the first is named', () => {
    assert.equal(
      outcome(aServerRow({ authorizations: [anybody('one'), anybody('two')] }), anAttempt()),
      'one',
    );
  });

  const loopback: readonly (readonly [string, string])[] = [
    ['127.0.0.1', 'localhost'],
    ['::1', 'localhost'],
    ['::ffff:127.0.0.1', 'localhost'],
    ['127.0.0.2', 'unauthorized'],
  ];
  for (const [client, expected] of loopback) {
    it(`${client} on a port without authorizations is ${expected}`, () => {
      assert.equal(outcome(aServerRow({}), anAttempt({ client: ipOf(client) })), expected);
      assert.equal(outcome(aServerRow({}), anAttempt({ client: ipOf(client), traffic: tcp })), expected);
    });
  }

  it('localhost comes last', () => {
    const server = aServerRow({ authorizations: [anybody('it')] });
    assert.equal(outcome(server, anAttempt({ client: ipOf('127.0.0.1') })), 'it');
  });

  it('a message that the proxy cannot read denies everybody, localhost too', () => {
    for (const client of ['10.0.0.1', '127.0.0.1']) {
      assert.equal(outcome(invalidServer, anAttempt({ client: ipOf(client) })), 'unauthorized');
      assert.equal(outcome(invalidServer, anAttempt({ client: ipOf(client), traffic: tcp })), 'unauthorized');
    }
  });
});

describe('the protocol says what routes and raw bytes mean', () => {
  const dead = { meta: defaultMeta('dead'), hosts: [], authorizations: [], rules: [] } as const;
  const http = anAttempt();
  const raw = anAttempt({ traffic: tcp });
  const rows: readonly (readonly [string, InboundProtocol, Attempt, string])[] = [
    ['opaque, HTTP', { kind: 'opaque' }, http, 'it'],
    ['opaque, bytes', { kind: 'opaque' }, raw, 'it'],
    ['TLS, HTTP', { kind: 'tls' }, http, 'it'],
    ['TLS, bytes', { kind: 'tls' }, raw, 'it'],
    ['detect without routes, HTTP', { kind: 'detect', timeoutMs: 1, routes: [] }, http, 'it'],
    ['detect without routes, bytes', { kind: 'detect', timeoutMs: 1, routes: [] }, raw, 'it'],
    [
      'detect with a route that never matches, HTTP',
      { kind: 'detect', timeoutMs: 1, routes: [dead] },
      http,
      'no-route',
    ],
    [
      'detect with a route that never matches, bytes',
      { kind: 'detect', timeoutMs: 1, routes: [dead] },
      raw,
      'it',
    ],
    ['HTTP/1, HTTP', { kind: 'http1', routes: [] }, http, 'it'],
    ['HTTP/1, bytes', { kind: 'http1', routes: [] }, raw, 'not-http'],
    ['HTTP/2, bytes', { kind: 'http2', routes: [] }, raw, 'not-http'],
    ['HTTP/2 with a route that never matches', { kind: 'http2', routes: [dead] }, http, 'no-route'],
    ['gRPC, any request', { kind: 'grpc', routes: [] }, http, 'it'],
    ['gRPC, bytes', { kind: 'grpc', routes: [] }, raw, 'not-http'],
    ['gRPC with a route that never matches', { kind: 'grpc', routes: [dead] }, http, 'no-route'],
  ];
  it('covers the table', () => assert.equal(rows.length, 15));
  for (const [title, protocol, attempt, expected] of rows) {
    it(`${title}: ${expected}`, () => {
      assert.equal(outcome(aServerRow({ protocol, authorizations: [anybody('it')] }), attempt), expected);
    });
  }
});

describe('the verdict says what to do', () => {
  it('an allowed request names its authorization, route, filters and the path match for redirects', () => {
    const filter = { kind: 'redirect', path: { kind: 'prefix', value: '/new' } } as const;
    const route: HttpRoute = {
      meta: { kind: 'resource', resource: { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'r' } },
      hosts: [],
      authorizations: [anybody('it')],
      rules: [{ matches: [httpMatch({ path: prefix('/old') })], filters: [filter] }],
    };
    const server = aServerRow({ protocol: { kind: 'http1', routes: [route] } });
    assert.deepEqual(
      evaluate(
        server,
        anAttempt({ traffic: { kind: 'http', ...aRequest({ target: '/old/x' }) } }),
        matchesRegex,
      ),
      {
        kind: 'allowed',
        authorization: defaultMeta('it'),
        route: route.meta,
        filters: [filter],
        path: prefix('/old'),
      },
    );
  });

  it('a matching route without authorization is 403, no matching route is 404', () => {
    const route: HttpRoute = {
      meta: defaultMeta('r'),
      hosts: [],
      authorizations: [],
      rules: [{ matches: [httpMatch({ path: prefix('/api') })], filters: [] }],
    };
    const server = aServerRow({ protocol: { kind: 'http1', routes: [route] } });
    const to = (target: string): Attempt => anAttempt({ traffic: { kind: 'http', ...aRequest({ target }) } });
    assert.deepEqual(evaluate(server, to('/api/x'), matchesRegex), {
      kind: 'denied',
      reason: 'unauthorized',
      route: defaultMeta('r'),
    });
    assert.deepEqual(evaluate(server, to('/admin'), matchesRegex), {
      kind: 'denied',
      reason: 'no-route',
      route: undefined,
    });
  });
});
