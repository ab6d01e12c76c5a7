import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { HttpFilter, HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import {
  aGatewayHttpRoute,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import {
  aSituation,
  asPod,
  at,
  backend,
  frontend,
  intruder,
  trafficOf,
  verdictOf,
} from '../../../testing/situation.ts';

const kubelet = at('192.168.0.1');
const match = (said: Partial<HttpMatch>): HttpMatch => ({ headers: [], queryParams: [], ...said });
const prefix = (value: string) => ({ path: { kind: 'prefix', value } }) as const;
const tenant = (value: string) => ({ headers: [{ name: 'x-tenant', kind: 'exact', value }] }) as const;

/** Routes on a Server that denies; the caller of each is in the AuthorizationPolicies. */
const routed = (routes: Situation['routes'], said: Partial<Situation> = {}): Situation =>
  aSituation({ servers: [aServer()], routes, ...said });

const forRoute = (name: string, account = 'default') =>
  anAuthorizationPolicy({
    name: `for-${name}`,
    target: { kind: 'HTTPRoute', name },
    authentications: [{ kind: 'ServiceAccount', namespace: 'demo', name: account }],
  });

const rule = (one: Partial<HttpMatch>, filters: readonly HttpFilter[] = []) => ({
  matches: [match(one)],
  filters,
});

const routeNames = (situation: Situation): readonly string[] => {
  const { protocol } = compileSituation(situation).server;
  assert('routes' in protocol);
  return protocol.routes.map(({ meta }) =>
    meta.kind === 'default' ? meta.name : `${meta.resource.group} ${meta.resource.name}`,
  );
};

describe('attached routes', () => {
  it('are sent as written, older first, then by name, then by group', () => {
    const situation = routed([
      anHttpRoute({ name: 'b', rules: [rule({})] }),
      aGatewayHttpRoute({ name: 'b', rules: [rule({})] }),
      anHttpRoute({ name: 'young', createdAt: 9, rules: [rule({})] }),
      anHttpRoute({
        name: 'z',
        createdAt: -1,
        hosts: ['*.example.com', 'example.com'],
        rules: [rule(prefix('/a'))],
      }),
      anHttpRoute({ name: 'elsewhere', servers: ['other'] }),
      anHttpRoute({ name: 'foreign', namespace: 'other' }),
    ]);
    assert.deepEqual(routeNames(situation), [
      'policy.linkerd.io z',
      'gateway.networking.k8s.io b',
      'policy.linkerd.io b',
      'policy.linkerd.io young',
    ]);
    const { protocol } = compileSituation(situation).server;
    assert('routes' in protocol);
    assert.deepEqual(protocol.routes[0], {
      meta: { kind: 'resource', resource: { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'z' } },
      hosts: [
        { kind: 'suffix', suffix: 'example.com' },
        { kind: 'exact', host: 'example.com' },
      ],
      authorizations: [],
      rules: [rule(prefix('/a'))],
    });
  });

  it('make everything that none of them matches 404, also for whom a policy admits', () => {
    const situation = routed([anHttpRoute({ name: 'r', rules: [rule(prefix('/api'))] })], {
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy()],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/x'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /admin'), 'no-route');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /api/x'), 'unauthorized');
    assert.equal(verdictOf(situation, asPod(frontend), 'bytes'), 'allowed');
  });

  it('a route attached, changed and detached changes what is found', () => {
    const server = { networkAuthenticationPolicies: [aNetworkAuthenticationPolicy()] };
    assert.equal(verdictOf(routed([], server), asPod(frontend), 'GET /x'), 'allowed');
    const attached = anHttpRoute({ rules: [rule(prefix('/api'))] });
    assert.equal(verdictOf(routed([attached], server), asPod(frontend), 'GET /x'), 'no-route');
    const changed = anHttpRoute({ rules: [rule(prefix('/x'))] });
    assert.equal(verdictOf(routed([changed], server), asPod(frontend), 'GET /x'), 'allowed');
    assert.equal(
      verdictOf(routed([anHttpRoute({ servers: [] })], server), asPod(frontend), 'GET /x'),
      'allowed',
    );
  });

  it('count for nothing on a gRPC Server, but still keep rules out', () => {
    const situation = routed([anHttpRoute({ rules: [rule({})] })], {
      servers: [aServer({ proxyProtocol: 'gRPC' })],
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy({ rules: [{ methods: ['POST'] }] })],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'unauthorized');
    assert.deepEqual(routeNames(situation), ['default']);
  });
});

describe('probes beside attached routes', () => {
  const target = {
    ...backend,
    spec: { ...backend.spec, probes: [{ kind: 'http', port: 8080, path: '/healthz' }] },
  } as const;
  const probed = (routes: Situation['routes'], said: Partial<Situation> = {}) =>
    routed(routes, { target, ...said });

  it('stay open where no route matches, and only there', () => {
    const situation = probed([anHttpRoute({ rules: [rule(prefix('/api'))] })]);
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz'), 'allowed');
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz?full=1'), 'allowed');
    assert.equal(verdictOf(situation, kubelet, 'POST /healthz'), 'no-route');
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz/x'), 'no-route');
    assert.equal(verdictOf(situation, kubelet, 'GET /api'), 'unauthorized');
  });

  it('stay open under a route that matches, which keeps whom it admits', () => {
    const situation = probed([anHttpRoute({ name: 'r', rules: [rule(prefix('/'))] })], {
      authorizationPolicies: [forRoute('r')],
      cluster: {
        ...aSituation().cluster,
        probeNetworks: [{ net: { ...kubelet.client, prefix: 32 }, except: [] }],
      },
    });
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /healthz'), 'allowed');
    assert.equal(verdictOf(situation, at('10.0.0.9'), 'GET /healthz'), 'unauthorized');
    assert.equal(verdictOf(situation, kubelet, 'GET /other'), 'unauthorized');
  });

  it('stay open under a route for one header, one host or one query, which is more specific than the probe', () => {
    const hosted = anHttpRoute({ name: 'hosted', hosts: ['backend.demo'], rules: [rule(prefix('/'))] });
    const headed = anHttpRoute({
      name: 'headed',
      rules: [rule({ path: { kind: 'exact', value: '/healthz' }, ...tenant('blue') })],
    });
    const queried = anHttpRoute({
      name: 'queried',
      rules: [
        rule({
          path: { kind: 'regex', value: '/.*' },
          queryParams: [{ name: 'q', kind: 'exact', value: '1' }],
        }),
      ],
    });
    const situation = probed([hosted, headed, queried]);
    for (const traffic of ['GET /healthz', 'GET /healthz x-tenant=blue', 'GET /healthz?q=1 x-tenant=blue']) {
      assert.equal(verdictOf(situation, kubelet, traffic), 'allowed', traffic);
    }
  });

  it('where two routes meet at the probe, the one that the proxy would use speaks, not both', () => {
    const closed = anHttpRoute({
      name: 'closed',
      rules: [rule({ path: { kind: 'prefix', value: '/healthz' } })],
    });
    const open = anHttpRoute({ name: 'open', rules: [rule({ ...prefix('/'), ...tenant('blue') })] });
    const nowhere = {
      ...aSituation().cluster,
      probeNetworks: [{ net: { ...kubelet.client, prefix: 32 }, except: [] }],
    };
    const situation = probed([open, closed], { authorizationPolicies: [forRoute('open')], cluster: nowhere });
    // The longer path wins over the header, with and without the probe.
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /healthz x-tenant=blue'), 'unauthorized');
    assert.equal(
      verdictOf({ ...situation, target: backend }, asPod(frontend), 'GET /healthz x-tenant=blue'),
      'unauthorized',
    );
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /x x-tenant=blue'), 'allowed');
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz x-tenant=blue'), 'allowed');
  });

  it('carry the filters of that rule; a redirect by prefix is written out, since the match is exact', () => {
    const redirect: HttpFilter = { kind: 'redirect', status: 302, path: { kind: 'prefix', value: '/new' } };
    const filtersAt = (path: string, one: Partial<HttpMatch>): readonly HttpFilter[] => {
      const probes = [{ kind: 'http', port: 8080, path }] as const;
      const situation = probed([anHttpRoute({ rules: [rule(one, [redirect])] })], {
        target: { ...backend, spec: { ...backend.spec, probes } },
      });
      const attempt = { ...kubelet, traffic: trafficOf(`GET ${path}`) };
      const verdict = evaluate(compileSituation(situation).server, attempt, situation.matchesRegex);
      assert(verdict.kind === 'allowed');
      return verdict.filters;
    };
    const leadsTo = (value: string): readonly HttpFilter[] => [
      { ...redirect, path: { kind: 'full', value } },
    ];
    assert.deepEqual(filtersAt('/old/live', prefix('/old')), leadsTo('/new/live'));
    assert.deepEqual(filtersAt('/old', prefix('/old/')), leadsTo('/new'));
    assert.deepEqual(filtersAt('/live', prefix('/')), leadsTo('/new/live'));
    assert.deepEqual(filtersAt('/live', {}), leadsTo('/new/live'));
    // A redirect by prefix on an exact match is the route's own mistake, and stays one.
    assert.deepEqual(filtersAt('/live', { path: { kind: 'exact', value: '/live' } }), [redirect]);
  });

  it('that overlap with too many conditions are given up, and named', () => {
    const rules = Array.from({ length: 12 }, (_, index) =>
      rule({ headers: [{ name: `x-${index}`, kind: 'exact', value: '1' }] }),
    );
    const { findings } = compileSituation(probed([anHttpRoute({ rules })]));
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['ProbeNotOpened'],
    );
    assert.match(findings[0]?.message ?? '', /GET \/healthz on port 8080/);
  });

  it('cost little beside twenty routes of as many matches as a CRD takes', () => {
    const hosts = Array.from({ length: 12 }, (_, host) => `h${host}.example.com`);
    const rules = Array.from({ length: 10 }, () => ({
      matches: Array.from({ length: 8 }, () =>
        match({
          ...prefix('/'),
          headers: Array.from({ length: 16 }, (_each, header) => ({
            name: `x-${header}`,
            kind: 'exact',
            value: '1',
          })),
        }),
      ),
      filters: [],
    }));
    const routes = Array.from({ length: 20 }, (_, at) => anHttpRoute({ name: `r${at}`, hosts, rules }));
    const probes = Array.from({ length: 10 }, (_, at) => ({
      kind: 'http' as const,
      port: 8080,
      path: `/p${at}`,
    }));
    const target = { ...backend, spec: { ...backend.spec, probes } };
    const started = process.cpuUsage();
    const { findings } = compileSituation(probed(routes, { target }));
    const { user, system } = process.cpuUsage(started);
    assert.deepEqual(findings, []);
    // When each probe met every match under every host, this took 9 s.
    assert(user + system < 900_000, `${(user + system) / 1_000} ms`);
  });
});

describe('which requests are probes', () => {
  const probes = [
    { kind: 'http', port: 8080, path: '/healthz' },
    { kind: 'http', port: 8080, path: '/a' },
    { kind: 'http', port: 8080, path: '/healthz' },
    { kind: 'grpc', port: 8080 },
    { kind: 'http', port: 9000, path: '/other' },
  ] as const;
  const situation = aSituation({ target: { ...backend, spec: { ...backend.spec, probes } } });

  it('those of the port, each once, sorted, in one route after the default', () => {
    const { protocol } = compileSituation(situation).server;
    assert('routes' in protocol);
    assert.deepEqual(protocol.routes[1], {
      meta: { kind: 'default', name: 'probe' },
      hosts: [],
      authorizations: [
        {
          networks: situation.cluster.probeNetworks,
          authentication: { kind: 'unauthenticated' },
          meta: { kind: 'default', name: 'probe' },
        },
      ],
      rules: [
        {
          matches: [
            { method: 'GET', path: { kind: 'exact', value: '/a' }, headers: [], queryParams: [] },
            {
              method: 'POST',
              path: { kind: 'exact', value: '/grpc.health.v1.Health/Check' },
              headers: [],
              queryParams: [],
            },
            { method: 'GET', path: { kind: 'exact', value: '/healthz' }, headers: [], queryParams: [] },
          ],
          filters: [],
        },
      ],
    });
    assert.equal(protocol.routes.length, 2);
  });

  const rows = [
    ['GET /healthz', 8080, 'allowed'],
    ['POST /grpc.health.v1.Health/Check', 8080, 'allowed'],
    ['GET /other', 8080, 'unauthorized'],
    ['GET /other', 9000, 'allowed'],
    ['GET /live', 4191, 'allowed'],
    ['GET /ready', 4191, 'allowed'],
    ['GET /metrics', 4191, 'unauthorized'],
    ['GET /live', 8080, 'unauthorized'],
    ['bytes', 8080, 'unauthorized'],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 9));
  for (const [traffic, port, expected] of rows) {
    it(`${traffic} on ${port}: ${expected}`, () => {
      assert.equal(verdictOf({ ...situation, port }, kubelet, traffic), expected);
    });
  }

  it('a probe added, changed and removed opens that path alone', () => {
    assert.equal(verdictOf(aSituation(), kubelet, 'GET /healthz'), 'unauthorized');
    assert.equal(verdictOf(situation, kubelet, 'GET /healthz'), 'allowed');
  });
});
