import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everywhere, type NetworkMatch, parseNetwork, readIp } from '../ip-network.ts';
import { parseIdentity } from '../mesh/workload-identity.ts';
import { type Attempt, type ClientTls, evaluate, invalidServer } from './evaluate-inbound.ts';
import type {
  Authentication,
  Authorization,
  GrpcMatch,
  GrpcRoute,
  HostMatch,
  HttpMatch,
  HttpRoute,
  InboundProtocol,
  InboundServer,
  Meta,
} from './inbound-server.ts';
import type { HttpRequest } from './match-request.ts';

const named = (name: string): Meta => ({ kind: 'default', name });
const network = (cidr: string, ...except: string[]): NetworkMatch => {
  const [net, ...holes] = [cidr, ...except].map((text) => {
    const read = parseNetwork(text);
    assert(read.ok);
    return read.value;
  });
  assert(net !== undefined);
  return { net, except: holes };
};
const ip = (text: string) => {
  const address = readIp(text);
  assert(address !== undefined);
  return address;
};

const anybody = (name: string): Authorization => ({
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: named(name),
});

const aServerRow = (said: Partial<InboundServer>): InboundServer => ({
  protocol: { kind: 'detect', timeoutMs: 10_000, routes: [] },
  authorizations: [],
  meta: named('deny'),
  ...said,
});

const aRequest = (said: Partial<HttpRequest>): HttpRequest => ({
  method: 'GET',
  target: '/',
  host: 'backend.demo:8080',
  headers: [],
  ...said,
});

const anAttempt = (said: Partial<Attempt> = {}): Attempt => ({
  client: ip('10.0.0.1'),
  tls: { kind: 'none' },
  traffic: { kind: 'http', ...aRequest({}) },
  ...said,
});

/** As JavaScript has it: the tables use nothing on which engines differ. */
const matchesRegex = (pattern: string, text: string): boolean =>
  new RegExp(`^(?:${pattern})$`, 'u').test(text);

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
        authorizations: [{ networks: everywhere, authentication, meta: named('it') }],
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
    authorizations: [{ networks, authentication: { kind: 'unauthenticated' }, meta: named('it') }],
  });
  for (const [client, admitted] of rows) {
    it(`${client} is ${admitted ? 'admitted' : 'refused'}`, () => {
      assert.equal(outcome(server, anAttempt({ client: ip(client) })), admitted ? 'it' : 'unauthorized');
    });
  }
});

describe('authorizations are asked in order', () => {
  const route = (authorizations: readonly Authorization[]): HttpRoute => ({
    meta: named('route'),
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
      assert.equal(outcome(aServerRow({}), anAttempt({ client: ip(client) })), expected);
      assert.equal(outcome(aServerRow({}), anAttempt({ client: ip(client), traffic: tcp })), expected);
    });
  }

  it('localhost comes last', () => {
    const server = aServerRow({ authorizations: [anybody('it')] });
    assert.equal(outcome(server, anAttempt({ client: ip('127.0.0.1') })), 'it');
  });

  it('a message that the proxy cannot read denies everybody, localhost too', () => {
    for (const client of ['10.0.0.1', '127.0.0.1']) {
      assert.equal(outcome(invalidServer, anAttempt({ client: ip(client) })), 'unauthorized');
      assert.equal(outcome(invalidServer, anAttempt({ client: ip(client), traffic: tcp })), 'unauthorized');
    }
  });
});

describe('the protocol says what routes and raw bytes mean', () => {
  const dead = { meta: named('dead'), hosts: [], authorizations: [], rules: [] } as const;
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

const match = (said: Partial<HttpMatch>): HttpMatch => ({ headers: [], queryParams: [], ...said });
const exact = (value: string) => ({ kind: 'exact', value }) as const;
const prefix = (value: string) => ({ kind: 'prefix', value }) as const;
const regex = (value: string) => ({ kind: 'regex', value }) as const;
const value = (name: string, text: string, kind: 'exact' | 'regex' = 'exact') => ({
  name,
  kind,
  value: text,
});

interface Candidate {
  readonly hosts?: readonly HostMatch[];
  readonly matches: readonly HttpMatch[];
}

/** The place in the list of the route that the proxy uses; undefined = none. */
const chosen = (candidates: readonly Candidate[], request: HttpRequest): number | undefined => {
  const routes = candidates.map(
    ({ hosts = [], matches }, index): HttpRoute => ({
      meta: named(`${index}`),
      hosts,
      authorizations: [],
      rules: [{ matches, filters: [] }],
    }),
  );
  const server = aServerRow({ protocol: { kind: 'http1', routes }, authorizations: [anybody('it')] });
  const verdict = evaluate(server, anAttempt({ traffic: { kind: 'http', ...request } }), matchesRegex);
  return verdict.kind === 'allowed' && verdict.route?.kind === 'default'
    ? Number(verdict.route.name)
    : undefined;
};

describe('a match holds for the requests that contract/proxy.md §6.3 says', () => {
  const rows: readonly (readonly [string, HttpMatch, Partial<HttpRequest>, boolean])[] = [
    ['exact path', match({ path: exact('/api') }), { target: '/api' }, true],
    ['exact path with query', match({ path: exact('/api') }), { target: '/api?x=1' }, true],
    ['exact path with fragment', match({ path: exact('/api') }), { target: '/api#x' }, true],
    ['exact path is exact', match({ path: exact('/api') }), { target: '/api/' }, false],
    ['exact path with slash', match({ path: exact('/api/') }), { target: '/api/' }, true],
    ['paths are case-sensitive', match({ path: exact('/api') }), { target: '/API' }, false],
    ['prefix itself', match({ path: prefix('/api') }), { target: '/api' }, true],
    ['prefix and slash', match({ path: prefix('/api') }), { target: '/api/' }, true],
    ['prefix and segment', match({ path: prefix('/api') }), { target: '/api/x' }, true],
    ['prefix is whole segments', match({ path: prefix('/api') }), { target: '/apix' }, false],
    ['prefix with slash, itself without', match({ path: prefix('/api/') }), { target: '/api' }, true],
    ['prefix with slash, segment', match({ path: prefix('/api/') }), { target: '/api/x' }, true],
    ['prefix / covers all', match({ path: prefix('/') }), { target: '/x' }, true],
    ['prefix / covers *', match({ path: prefix('/') }), { method: 'OPTIONS', target: '*' }, true],
    ['paths are not normalised', match({ path: prefix('/api') }), { target: '/api/../admin' }, true],
    ['paths are not decoded', match({ path: exact('/a b') }), { target: '/a%20b' }, false],
    ['regex spans the path', match({ path: regex('/api/[0-9]+') }), { target: '/api/12?x' }, true],
    ['regex is anchored', match({ path: regex('/api') }), { target: '/api/x' }, false],
    ['method equal', match({ method: 'GET' }), { method: 'GET' }, true],
    ['method another', match({ method: 'GET' }), { method: 'HEAD' }, false],
    ['methods are case-sensitive', match({ method: 'GET' }), { method: 'get' }, false],
    ['header', match({ headers: [value('X-A', '1')] }), { headers: [{ name: 'x-a', value: '1' }] }, true],
    ['header absent', match({ headers: [value('x-a', '1')] }), {}, false],
    [
      'header another value',
      match({ headers: [value('x-a', '1')] }),
      { headers: [{ name: 'x-a', value: '2' }] },
      false,
    ],
    [
      'any value of a header',
      match({ headers: [value('x-a', '1')] }),
      {
        headers: [
          { name: 'x-a', value: '2' },
          { name: 'x-a', value: '1' },
        ],
      },
      true,
    ],
    [
      'header values are not split at commas',
      match({ headers: [value('x-a', '1')] }),
      { headers: [{ name: 'x-a', value: '2,1' }] },
      false,
    ],
    [
      'two values of one header',
      match({ headers: [value('x-a', '1'), value('x-a', '2')] }),
      {
        headers: [
          { name: 'x-a', value: '2' },
          { name: 'x-a', value: '1' },
        ],
      },
      true,
    ],
    [
      'headers are ANDed',
      match({ headers: [value('x-a', '1'), value('x-b', '1')] }),
      { headers: [{ name: 'x-a', value: '1' }] },
      false,
    ],
    [
      'header regex',
      match({ headers: [value('x-a', 'b.*', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'blue' }] },
      true,
    ],
    [
      'header regex is anchored',
      match({ headers: [value('x-a', 'b', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'ab' }] },
      false,
    ],
    [
      'header regex sees visible ASCII only',
      match({ headers: [value('x-a', '.*', 'regex')] }),
      { headers: [{ name: 'x-a', value: 'é' }] },
      false,
    ],
    ['query', match({ queryParams: [value('c', 'blue')] }), { target: '/?c=blue' }, true],
    ['query decoded', match({ queryParams: [value('c d', 'b u')] }), { target: '/?c%20d=b+u' }, true],
    [
      'any occurrence in the query',
      match({ queryParams: [value('c', 'blue')] }),
      { target: '/?c=red&c=blue' },
      true,
    ],
    [
      'query names are case-sensitive',
      match({ queryParams: [value('C', 'blue')] }),
      { target: '/?c=blue' },
      false,
    ],
    ['query regex', match({ queryParams: [value('c', 'b.*', 'regex')] }), { target: '/?c=blue' }, true],
    ['query absent', match({ queryParams: [value('c', '')] }), { target: '/' }, false],
    ['query in a fragment', match({ queryParams: [value('c', 'blue')] }), { target: '/#?c=blue' }, false],
    [
      'all parts must hold',
      match({ path: exact('/a'), method: 'GET' }),
      { target: '/a', method: 'POST' },
      false,
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 39));
  for (const [title, one, request, holds] of rows) {
    it(`${title}: ${holds ? 'matches' : 'no route'}`, () => {
      assert.equal(chosen([{ matches: [one] }], aRequest(request)), holds ? 0 : undefined);
    });
  }

  it('matches of a rule are alternatives, and none of them means every request', () => {
    const two = { matches: [match({ path: exact('/a') }), match({ path: exact('/b') })] };
    assert.equal(chosen([two], aRequest({ target: '/b' })), 0);
    assert.equal(chosen([two], aRequest({ target: '/c' })), undefined);
    assert.equal(chosen([{ matches: [] }], aRequest({ target: '/c' })), 0);
  });
});

describe('a host pattern matches', () => {
  const rows: readonly (readonly [string, HostMatch, string | undefined, boolean])[] = [
    ['the same name', { kind: 'exact', host: 'example.com' }, 'example.com', true],
    ['whatever the port', { kind: 'exact', host: 'example.com' }, 'example.com:8080', true],
    ['whatever the case', { kind: 'exact', host: 'Example.com' }, 'EXAMPLE.com', true],
    ['a trailing dot', { kind: 'exact', host: 'example.com' }, 'example.com.', true],
    ['a trailing dot only if asked', { kind: 'exact', host: 'example.com.' }, 'example.com', false],
    ['not another name', { kind: 'exact', host: 'example.com' }, 'a.example.com', false],
    ['not without authority', { kind: 'exact', host: 'example.com' }, undefined, false],
    ['one label more', { kind: 'suffix', suffix: 'example.com' }, 'a.example.com', true],
    ['two labels more', { kind: 'suffix', suffix: 'example.com' }, 'b.a.example.com:80', true],
    ['not the bare suffix', { kind: 'suffix', suffix: 'example.com' }, 'example.com', false],
    ['not half a label', { kind: 'suffix', suffix: 'example.com' }, 'anexample.com', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 11));
  for (const [title, host, authority, holds] of rows) {
    it(title, () => {
      const candidates = [{ hosts: [host], matches: [] }];
      assert.equal(chosen(candidates, aRequest({ host: authority })), holds ? 0 : undefined);
    });
  }
});

describe('of several routes the proxy uses the most specific', () => {
  const request = aRequest({
    target: '/api/v1?c=blue&d=1',
    host: 'a.example.com',
    headers: [
      { name: 'x-a', value: '1' },
      { name: 'x-b', value: '1' },
    ],
  });
  const any: Candidate = { matches: [] };
  const only = (said: Partial<HttpMatch>, hosts: readonly HostMatch[] = []): Candidate => ({
    hosts,
    matches: [match(said)],
  });
  const a = value('x-a', '1');
  const b = value('x-b', '1');
  const c = value('c', 'blue');
  const d = value('d', '1');
  /** The second is always the one that wins, so that no row holds by the order of the list. */
  const rows: readonly (readonly [string, Candidate, Candidate])[] = [
    [
      'a host beats none, whatever else',
      only({ path: exact('/api/v1'), headers: [a, b] }),
      only({}, [{ kind: 'suffix', suffix: 'com' }]),
    ],
    [
      'an exact host beats a suffix',
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
      only({}, [{ kind: 'exact', host: 'a.example.com' }]),
    ],
    [
      'a longer suffix beats a shorter',
      only({}, [{ kind: 'suffix', suffix: 'com' }]),
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
    ],
    [
      'of several hosts the best counts',
      only({}, [{ kind: 'suffix', suffix: 'example.com' }]),
      only({}, [
        { kind: 'suffix', suffix: 'com' },
        { kind: 'exact', host: 'a.example.com' },
      ]),
    ],
    [
      'a longer path beats headers',
      only({ path: prefix('/api'), headers: [a, b] }),
      only({ path: prefix('/api/v1') }),
    ],
    ['any path beats none', any, only({ path: prefix('/api') })],
    ['an exact path counts its length', only({ path: prefix('/api') }), only({ path: exact('/api/v1') })],
    [
      'a regex counts the whole path',
      only({ path: prefix('/api'), headers: [a] }),
      only({ path: regex('/.*') }),
    ],
    [
      'more headers beat queries',
      only({ path: exact('/api/v1'), queryParams: [c, d] }),
      only({ path: exact('/api/v1'), headers: [a] }),
    ],
    ['two headers beat one', only({ headers: [a] }), only({ headers: [a, b] })],
    ['more queries beat a method', only({ queryParams: [], method: 'GET' }), only({ queryParams: [c] })],
    ['a method beats none', any, only({ method: 'GET' })],
    [
      'the best of its matches counts for a rule',
      only({ path: prefix('/api') }),
      { matches: [match({}), match({ path: exact('/api/v1') })] },
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 13));
  for (const [title, loser, winner] of rows) {
    it(title, () => {
      assert.equal(chosen([loser, winner], request), 1);
      assert.equal(chosen([winner, loser], request), 0);
    });
  }

  const ties: readonly (readonly [string, Candidate, Candidate])[] = [
    ['exact and prefix of one length', only({ path: exact('/api/v1') }), only({ path: prefix('/api/v1') })],
    ['exact and regex', only({ path: exact('/api/v1') }), only({ path: regex('/.*') })],
    ['prefix with and without slash', only({ path: prefix('/api/') }), only({ path: prefix('/api') })],
    ['no path and the prefix /', any, only({ path: prefix('/') })],
    ['different headers, equally many', only({ headers: [a] }), only({ headers: [b] })],
  ];
  it('covers the ties', () => assert.equal(ties.length, 5));
  for (const [title, one, other] of ties) {
    it(`the first in the list wins a tie: ${title}`, () => {
      assert.equal(chosen([one, other], request), 0);
      assert.equal(chosen([other, one], request), 0);
    });
  }
});

describe('a gRPC port routes calls by service and method', () => {
  const call = (said: Partial<GrpcMatch>): GrpcMatch => ({ service: '', method: '', headers: [], ...said });
  const chosenCall = (
    lists: readonly (readonly GrpcMatch[])[],
    request: Partial<HttpRequest>,
  ): number | undefined => {
    const routes = lists.map(
      (matches, index): GrpcRoute => ({
        meta: named(`${index}`),
        hosts: [],
        authorizations: [],
        rules: [{ matches, filters: [] }],
      }),
    );
    const server = aServerRow({ protocol: { kind: 'grpc', routes }, authorizations: [anybody('it')] });
    const traffic = { kind: 'http', ...aRequest({ method: 'POST', ...request }) } as const;
    const verdict = evaluate(server, anAttempt({ traffic }), matchesRegex);
    return verdict.kind === 'allowed' && verdict.route?.kind === 'default'
      ? Number(verdict.route.name)
      : undefined;
  };

  const rows: readonly (readonly [string, GrpcMatch, Partial<HttpRequest>, boolean])[] = [
    ['service and method', call({ service: 'p.S', method: 'M' }), { target: '/p.S/M' }, true],
    ['another method', call({ service: 'p.S', method: 'M' }), { target: '/p.S/N' }, false],
    ['service alone', call({ service: 'p.S' }), { target: '/p.S/N' }, true],
    ['method alone', call({ method: 'N' }), { target: '/p.S/N' }, true],
    ['any call', call({}), { target: '/p.S/N' }, true],
    ['only POST', call({}), { method: 'GET', target: '/p.S/N' }, false],
    ['no method segment is not a call', call({}), { target: '/p.S' }, false],
    ['what follows is ignored', call({ service: 'p.S', method: 'M' }), { target: '/p.S/M/x' }, true],
    ['header', call({ headers: [value('x-a', '1')] }), { target: '/p.S/M' }, false],
  ];
  it('covers the table', () => assert.equal(rows.length, 9));
  for (const [title, one, request, holds] of rows) {
    it(`${title}: ${holds ? 'matches' : 'no route'}`, () => {
      assert.equal(chosenCall([[one]], request), holds ? 0 : undefined);
    });
  }

  it('a rule without matches takes every request, also what is not a call', () => {
    assert.equal(chosenCall([[]], { method: 'GET', target: '/' }), 0);
  });

  it('the longer service wins, then the longer method, then more headers', () => {
    const headers = [{ name: 'x-a', value: '1' }];
    const order = [
      call({ headers: [value('x-a', '1')] }),
      call({ method: 'M' }),
      call({ service: 'p.S' }),
      call({ service: 'p.S', headers: [value('x-a', '1')] }),
      call({ service: 'p.S', method: 'M' }),
    ];
    for (const [index, winner] of order.entries()) {
      for (const loser of order.slice(0, index)) {
        assert.equal(chosenCall([[loser], [winner]], { target: '/p.S/M', headers }), 1);
      }
    }
  });
});

describe('the verdict says what to do', () => {
  it('an allowed request names its authorization, route, filters and the path match for redirects', () => {
    const filter = { kind: 'redirect', path: { kind: 'prefix', value: '/new' } } as const;
    const route: HttpRoute = {
      meta: { kind: 'resource', resource: { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'r' } },
      hosts: [],
      authorizations: [anybody('it')],
      rules: [{ matches: [match({ path: prefix('/old') })], filters: [filter] }],
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
        authorization: named('it'),
        route: route.meta,
        filters: [filter],
        path: prefix('/old'),
      },
    );
  });

  it('a matching route without authorization is 403, no matching route is 404', () => {
    const route: HttpRoute = {
      meta: named('r'),
      hosts: [],
      authorizations: [],
      rules: [{ matches: [match({ path: prefix('/api') })], filters: [] }],
    };
    const server = aServerRow({ protocol: { kind: 'http1', routes: [route] } });
    const to = (target: string): Attempt => anAttempt({ traffic: { kind: 'http', ...aRequest({ target }) } });
    assert.deepEqual(evaluate(server, to('/api/x'), matchesRegex), {
      kind: 'denied',
      reason: 'unauthorized',
      route: named('r'),
    });
    assert.deepEqual(evaluate(server, to('/admin'), matchesRegex), {
      kind: 'denied',
      reason: 'no-route',
      route: undefined,
    });
  });
});
