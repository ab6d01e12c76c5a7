import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GrpcMatch } from '@gatehouse/core/inbound/inbound-server';
import {
  aGatewayHttpRoute,
  aGrpcRoute,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aRejected,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation, asPod, at, backend, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

const call = (service = '', method = '', headers: GrpcMatch['headers'] = []): GrpcMatch => ({
  service,
  method,
  headers,
});
const rule = (...matches: readonly GrpcMatch[]) => ({ matches, filters: [] });
const grpc = aServer({ proxyProtocol: 'gRPC' });
const everyRequest = [{ matches: [{ headers: [], queryParams: [] }], filters: [] }];

/** On a gRPC Server that denies. */
const routed = (routes: Situation['routes'], said: Partial<Situation> = {}): Situation =>
  aSituation({ servers: [grpc], routes, ...said });

const forRoute = (name: string, kind: 'GRPCRoute' | 'GatewayHTTPRoute' = 'GRPCRoute') =>
  anAuthorizationPolicy({
    name: `for-${name}`,
    target: { kind, name },
    authentications: [{ kind: 'ServiceAccount', namespace: 'demo', name: 'default' }],
  });

const routesOf = (situation: Situation) => {
  const { protocol } = compileSituation(situation).server;
  assert('routes' in protocol);
  return protocol.routes;
};

const routeNames = (situation: Situation): readonly string[] =>
  routesOf(situation).map(({ meta }) => (meta.kind === 'default' ? meta.name : meta.resource.name));

describe('GRPCRoutes attached to a gRPC Server', () => {
  it('are sent as written, older first, then by name', () => {
    const situation = routed([
      aGrpcRoute({ name: 'b', rules: [rule(call('p.S'))] }),
      aGrpcRoute({ name: 'a', hosts: ['*.example.com'], rules: [rule(call('p.S', 'M'))] }),
      aGrpcRoute({ name: 'old', createdAt: -1, rules: [rule(call())] }),
      aGrpcRoute({ name: 'elsewhere', servers: ['other'] }),
      aGrpcRoute({ name: 'foreign', namespace: 'other' }),
    ]);
    assert.deepEqual(routeNames(situation), ['old', 'a', 'b']);
    assert.deepEqual(routesOf(situation)[1], {
      meta: {
        kind: 'resource',
        resource: { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', name: 'a' },
      },
      hosts: [{ kind: 'suffix', suffix: 'example.com' }],
      authorizations: [],
      rules: [rule(call('p.S', 'M'))],
    });
  });

  const tenant = [{ name: 'x-tenant', kind: 'exact', value: 'blue' }] as const;
  const rows: readonly (readonly [string, GrpcMatch, string, string])[] = [
    ['service and method', call('p.S', 'M'), 'POST /p.S/M', 'allowed'],
    ['service and method, another method', call('p.S', 'M'), 'POST /p.S/N', 'no-route'],
    ['service and method, another service', call('p.S', 'M'), 'POST /p.T/M', 'no-route'],
    ['a service, whole', call('p.S'), 'POST /p.S/N', 'allowed'],
    ['a service, not one that begins alike', call('p.S'), 'POST /p.Sx/N', 'no-route'],
    ['a method of any service', call('', 'M'), 'POST /p.T/M', 'allowed'],
    ['every call', call(), 'POST /p.T/N', 'allowed'],
    ['every call, which a GET is not', call(), 'GET /p.T/N', 'no-route'],
    ['every call, which needs a method', call(), 'POST /p.T', 'no-route'],
    ['a header', call('p.S', '', tenant), 'POST /p.S/M x-tenant=blue', 'allowed'],
    ['a header with another value', call('p.S', '', tenant), 'POST /p.S/M x-tenant=red', 'no-route'],
    ['bytes that are not HTTP', call(), 'bytes', 'not-http'],
  ];
  it('covers the table', () => assert.equal(rows.length, 12));
  for (const [title, match, traffic, expected] of rows) {
    it(`match ${title}: ${traffic} is ${expected}`, () => {
      const situation = routed([aGrpcRoute({ name: 'r', rules: [rule(match)] })], {
        authorizationPolicies: [forRoute('r')],
      });
      assert.equal(verdictOf(situation, asPod(frontend), traffic), expected);
    });
  }

  it('are chosen by service, then method, then headers, and the list settles ties', () => {
    const routes = [
      aGrpcRoute({ name: 'any', rules: [rule(call('', '', tenant))] }),
      aGrpcRoute({ name: 'service', rules: [rule(call('p.S'))] }),
      aGrpcRoute({ name: 'method', rules: [rule(call('p.S', 'M'))] }),
      aGrpcRoute({ name: 'tie', rules: [rule(call('p.S', 'M'))] }),
    ];
    const openedBy = (name: string) => routed(routes, { authorizationPolicies: [forRoute(name)] });
    const chosen = (traffic: string): readonly string[] =>
      routes
        .map(({ meta }) => meta.name)
        .filter((name) => verdictOf(openedBy(name), asPod(frontend), traffic) === 'allowed');
    assert.deepEqual(chosen('POST /p.S/M x-tenant=blue'), ['method']);
    assert.deepEqual(chosen('POST /p.S/N x-tenant=blue'), ['service']);
    assert.deepEqual(chosen('POST /p.T/N x-tenant=blue'), ['any']);
  });

  it('404 what has no route, also for those who are admitted to the whole port, and 403 everybody else', () => {
    const situation = routed([aGrpcRoute({ name: 'r', rules: [rule(call('p.S'))] })], {
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy()],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /p.S/M'), 'unauthorized');
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.T/M'), 'no-route');
  });

  it('take AuthorizationPolicies for a GRPCRoute, not those for an HTTPRoute of the same name', () => {
    const routes = [aGrpcRoute({ name: 'r', rules: [rule(call())] })];
    const opened = (policy: ReturnType<typeof forRoute>) =>
      verdictOf(routed(routes, { authorizationPolicies: [policy] }), asPod(frontend), 'POST /p.S/M');
    assert.equal(opened(forRoute('r')), 'allowed');
    assert.equal(opened(forRoute('r', 'GatewayHTTPRoute')), 'unauthorized');
    assert.equal(opened(forRoute('other')), 'unauthorized');
  });

  it('keep rules out', () => {
    const situation = routed([aGrpcRoute({ name: 'r', rules: [rule(call())] })], {
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy({ rules: [{ methods: ['POST'] }] })],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'unauthorized');
    assert.deepEqual(findingsOf(situation), ['RoutesAttached frontend-can-talk-to-backend']);
  });

  it('have the port’s room for matches; those that are over it close single calls', () => {
    const situation = routed(
      [
        aGrpcRoute({ name: 'new', createdAt: 2, rules: [rule(call('p.S'), call('p.T'))] }),
        aGrpcRoute({ name: 'old', createdAt: 1, rules: [rule(call())] }),
      ],
      { authorizationPolicies: [forRoute('old')] },
    );
    const { cluster } = situation;
    const within = (attachedMatches: number): Situation => ({
      ...situation,
      cluster: { ...cluster, rowBudgets: { ...cluster.rowBudgets, attachedMatches } },
    });
    assert.deepEqual(findingsOf(within(3)), []);
    assert.deepEqual(findingsOf(within(2)), ['InDoubt for-old', 'TooManyMatches new']);
    assert.deepEqual(
      routesOf(within(2)).map(({ authorizations }) => authorizations),
      [[]],
    );
  });

  it('leave probes to policies, as every gRPC Server does, and name them', () => {
    const target = { ...backend, spec: { ...backend.spec, probes: [{ kind: 'grpc', port: 8080 }] } } as const;
    const situation = routed([aGrpcRoute({ rules: [rule(call())] })], { target });
    const check = 'POST /grpc.health.v1.Health/Check';
    assert.equal(verdictOf(situation, at('192.168.0.1'), check), 'unauthorized');
    const { findings } = compileSituation(situation);
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['ProbeNotOpened'],
    );
    assert.match(findings[0]?.message ?? '', /probe POST \/grpc\.health\.v1\.Health\/Check on port 8080/);
  });
});

describe('a route of another protocol than the port’s', () => {
  const hosted = aGatewayHttpRoute({ name: 'web', rules: everyRequest });
  const calls = aGrpcRoute({ name: 'calls', rules: [rule(call('p.S'))] });
  const on = (proxyProtocol: 'unknown' | 'HTTP/1' | 'HTTP/2' | 'gRPC' | 'opaque' | 'TLS'): Situation =>
    routed([hosted, calls], {
      servers: [aServer({ proxyProtocol })],
      authorizationPolicies: [forRoute('web', 'GatewayHTTPRoute'), forRoute('calls')],
    });

  const rows = [
    ['unknown', ['web'], ['for-calls', 'calls'], 'allowed'],
    ['HTTP/1', ['web'], ['for-calls', 'calls'], 'allowed'],
    ['HTTP/2', ['web'], ['for-calls', 'calls'], 'allowed'],
    ['gRPC', ['calls'], ['for-web', 'web'], 'no-route'],
    ['opaque', [], ['for-calls', 'for-web', 'calls', 'web'], 'unauthorized'],
    ['TLS', [], ['for-calls', 'for-web', 'calls', 'web'], 'unauthorized'],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [protocol, routes, without, verdict] of rows) {
    it(`routes nothing on a Server of ${protocol}, and says so, as do policies for it`, () => {
      const situation = on(protocol);
      const { server, contributions } = compileSituation(situation);
      const sent = 'routes' in server.protocol ? routeNames(situation) : [];
      assert.deepEqual(sent, routes);
      assert.deepEqual(
        findingsOf(situation),
        without.map((name) => `RouteNeedsProtocol ${name}`),
      );
      const effects = contributions.filter(({ effect }) => effect.kind !== 'governs');
      assert.deepEqual(
        effects.map(({ object }) => object.name),
        [...routes, ...routes.map((name) => `for-${name}`)],
      );
      assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.T/M'), verdict);
    });
  }

  it('says how to fix it', () => {
    const messages = compileSituation(on('HTTP/2')).findings.map(({ message }) => message);
    assert.deepEqual(messages, [
      'GRPCRoute calls routes nothing on port 8080, which speaks HTTP/2: set `proxyProtocol: gRPC` on its Server, or use an HTTPRoute. So this policy grants nothing there.',
      'GRPCRoute calls routes nothing on port 8080, which speaks HTTP/2: set `proxyProtocol: gRPC` on its Server, or use an HTTPRoute.',
    ]);
  });

  it('is no route to the port: with it alone every request has one', () => {
    const alone = routed([calls], {
      servers: [aServer({ proxyProtocol: 'HTTP/2' })],
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy()],
    });
    assert.equal(verdictOf(alone, asPod(frontend), 'POST /p.T/M'), 'allowed');
    assert.equal(verdictOf(alone, asPod(intruder), 'POST /p.S/M'), 'unauthorized');
  });

  it('takes no HTTPRoute from a Server that speaks HTTP, so that it opens nothing that the HTTPRoute keeps', () => {
    const paths = [
      { matches: [{ path: { kind: 'prefix', value: '/api' }, headers: [], queryParams: [] }], filters: [] },
    ] as const;
    const both = routed([anHttpRoute({ name: 'api', rules: paths }), calls], {
      servers: [aServer({ accessPolicy: 'all-unauthenticated' })],
    });
    assert.equal(verdictOf(both, asPod(intruder), 'GET /api/x'), 'allowed');
    assert.equal(verdictOf(both, asPod(intruder), 'GET /admin'), 'no-route');
  });

  it('but keeps rules out, since its author wrote of requests', () => {
    const rules = [aNetworkAuthenticationPolicy({ rules: [{ methods: ['POST'] }] })];
    const ruled = (routes: Situation['routes'], proxyProtocol: 'gRPC' | 'HTTP/2') => {
      const servers = [aServer({ proxyProtocol })];
      const situation = routed(routes, { servers, networkAuthenticationPolicies: rules });
      return verdictOf(situation, asPod(frontend), 'POST /p.S/M');
    };
    assert.equal(ruled([], 'HTTP/2'), 'allowed');
    assert.equal(ruled([calls], 'HTTP/2'), 'unauthorized');
    assert.equal(ruled([], 'gRPC'), 'allowed');
    assert.equal(ruled([anHttpRoute({ rules: everyRequest })], 'gRPC'), 'unauthorized');
  });

  it('that cannot be read puts nothing else in doubt', () => {
    const unread = aRejected('HTTPRoute', { name: 'unread', attachedTo: ['a'], extent: 'unknown' });
    const situation = routed([calls, unread], { authorizationPolicies: [forRoute('calls')] });
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'allowed');
  });
});
