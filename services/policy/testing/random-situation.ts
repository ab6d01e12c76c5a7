import type { Attempt } from '@gatehouse/core/inbound/evaluate-inbound';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { noPorts, portSet } from '@gatehouse/core/port-set';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import {
  type DefaultPolicy,
  defaultPolicies,
  type ServerSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import {
  aNamespace,
  aNetworkAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anExternalWorkload,
  aPod,
  aServer,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { aClusterConfig } from './a-cluster-config.ts';
import type { Situation } from './decide/situation.ts';
import { attempt, attemptAmong, podAddresses } from './random-attempts.ts';
import {
  auditPolicies,
  authorizationPolicies,
  createdAt,
  maybe,
  mesh,
  meshTlsAuthentication,
  network,
  networks,
  policies,
  rarely,
  ruledPolicies,
  servers,
  withoutUndefined,
} from './random-policies.ts';
import { rateLimits } from './random-rate-limits.ts';
import {
  attachedGrpcRoutes,
  attachedRoutes,
  grpcRoutesOfEither,
  routes,
  routesOfEither,
} from './random-routes.ts';
import { serverAuthorizations } from './random-server-authorizations.ts';

/**
 * Random policies around one port, and random attempts on it. Many pods share an identity, some an address; some are
 * unmeshed, on their host's network or over; probes stand on paths that rules and routes name.
 */
export interface Case {
  readonly situation: Situation;
  readonly attempts: readonly Attempt[];
}

const callers = fc
  .array(
    fc.record({
      namespace: fc.constantFrom('demo', 'demo', 'demo', 'other', 'undeclared'),
      app: fc.constantFrom('frontend', 'frontend', 'intruder'),
      serviceAccount: fc.constantFrom('default', 'default', 'web'),
      ips: fc.subarray(podAddresses, { maxLength: 2 }),
      meshed: rarely(true, false),
      hostNetwork: rarely(false, true),
      phase: fc.constantFrom('Running', 'Running', 'Running', 'Running', 'Pending', 'Succeeded', 'Failed'),
      terminated: rarely(false, true),
      startedAt: fc.option(fc.constantFrom(1, 2, 3), { nil: undefined }),
      deletedAt: rarely<number | undefined>(undefined, 1),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((pods) =>
    pods.map(({ app, ...pod }, index) =>
      aPod({ ...withoutUndefined(pod), name: `caller-${index}`, labels: { app } }),
    ),
  );

const annotations = fc
  .record({
    'config.linkerd.io/default-inbound-policy': fc.option(fc.constantFrom(...defaultPolicies, 'dney'), {
      nil: undefined,
      freq: 3,
    }),
    'config.linkerd.io/opaque-ports': rarely<string | undefined>(undefined, '25,8000-8100'),
  })
  .map(withoutUndefined);

const probes = fc.subarray([
  { kind: 'http', port: 8080, path: '/healthz' },
  { kind: 'http', port: 8080, path: '/api/v1' },
  { kind: 'http', port: 8080, path: '/api//healthz' },
  { kind: 'grpc', port: 8080 },
  { kind: 'http', port: 9000, path: '/' },
] as const);

const proxyPorts = rarely(usualProxyPorts, { inbound: 4143, control: 9000, admin: 8080 });

const anything = fc.record({
  port: fc.constantFrom(8080, 8080, 8080, 8080, 9000, 4191, 4143),
  policies,
  servers,
  routes,
  authorizationPolicies,
  serverAuthorizations,
  defaultPolicy: fc.constantFrom<DefaultPolicy>('deny', ...defaultPolicies),
  unreadableManifests: rarely<'none' | 'some'>('none', 'some'),
});

/** Rules alone, on a port that anybody may open by nothing else. */
const rulesAlone = fc.record({
  port: fc.constant(8080),
  policies: ruledPolicies,
  servers: fc.constantFrom([], [aServer({ proxyProtocol: 'HTTP/2' })], [aServer({ proxyProtocol: 'gRPC' })]),
  routes: fc.constant([]),
  authorizationPolicies: fc.constant([]),
  serverAuthorizations: fc.constant([]),
  defaultPolicy: fc.constant<DefaultPolicy>('deny'),
  unreadableManifests: fc.constant('none' as const),
});

/** Audit policies alone, on ports that no Server governs. */
const auditsAlone = fc.record({
  port: fc.constantFrom(8080, 8080, 9000, 4191),
  policies: auditPolicies,
  servers: fc.constant([]),
  routes: fc.constant([]),
  authorizationPolicies: fc.constant([]),
  serverAuthorizations: fc.constant([]),
  defaultPolicy: fc.constantFrom<DefaultPolicy>(...defaultPolicies),
  unreadableManifests: fc.constant('none' as const),
});

/** Routes attached to the one Server, with what AuthorizationPolicies give on them. */
const routesAttached = fc.record({
  port: fc.constant(8080),
  policies: fc.oneof({ arbitrary: policies, weight: 3 }, { arbitrary: ruledPolicies, weight: 1 }),
  servers: fc.constantFrom(
    [aServer()],
    [aServer()],
    [aServer({ proxyProtocol: 'HTTP/1' })],
    [aServer({ proxyProtocol: 'HTTP/2' })],
    [aServer({ proxyProtocol: 'gRPC' })],
    [aServer({ proxyProtocol: 'opaque' })],
    [aServer({ proxyProtocol: 'TLS' })],
  ),
  routes: attachedRoutes,
  authorizationPolicies,
  serverAuthorizations,
  defaultPolicy: fc.constant<DefaultPolicy>('deny'),
  unreadableManifests: fc.constant('none' as const),
});

/** The same of a Server that speaks gRPC. */
const grpcRoutesAttached = fc.record({
  port: fc.constant(8080),
  policies: fc.oneof({ arbitrary: policies, weight: 3 }, { arbitrary: ruledPolicies, weight: 1 }),
  servers: fc.constant([aServer({ proxyProtocol: 'gRPC' })]),
  routes: attachedGrpcRoutes,
  authorizationPolicies,
  serverAuthorizations,
  defaultPolicy: fc.constant<DefaultPolicy>('deny'),
  unreadableManifests: fc.constant('none' as const),
});

/** Routes of two Servers, which may be of two ports or of one, and grants on all that they govern. */
const twoServers = (routesOf: typeof routesOfEither, proxyProtocol: ServerSpec['proxyProtocol']) =>
  fc.record({
    port: fc.constant(8080),
    policies: fc.constantFrom([], [aNetworkAuthenticationPolicy({ ports: 'all' })]),
    servers: fc
      .record({ first: createdAt, second: createdAt, port: fc.constantFrom(8080, 9000) })
      .map(({ first, second, port }) => [
        aServer({ createdAt: first, proxyProtocol }),
        aServer({
          createdAt: second,
          port: { kind: 'range', first: port, last: port },
          accessPolicy: 'all-authenticated',
          proxyProtocol,
        }),
      ]),
    routes: routesOf,
    serverAuthorizations: fc.constant([]),
    authorizationPolicies: authorizationPolicies.map((written) => [
      ...written,
      anAuthorizationPolicy({
        target: { kind: 'Namespace' },
        authentications: [{ kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'mesh-0' }],
      }),
    ]),
    defaultPolicy: fc.constant<DefaultPolicy>('deny'),
    unreadableManifests: fc.constant('none' as const),
  });

const surroundings = fc.record({
  pods: callers,
  targetAnnotations: annotations,
  namespaceAnnotations: annotations,
  probes,
  proxyPorts,
  isOutside: rarely(false, true),
  areServersForPods: rarely(false, true),
  rateLimits,
  clusterNetworks: fc.constantFrom([network('10.0.0.0/8')], []),
  probeNetworks: fc.constantFrom([network('0.0.0.0/0'), network('::/0')], [network('192.168.0.0/16')], []),
  opaquePorts: rarely(noPorts, portSet([{ first: 8080, last: 9000 }])),
  meshTls: maybe(meshTlsAuthentication),
  net: maybe(fc.array(networks, { minLength: 1, maxLength: 2 })),
  attempts: fc.array(attempt, { minLength: 12, maxLength: 12 }),
});

const named = <Object extends KubeObject>(prefix: string, objects: readonly Object[]): readonly Object[] =>
  objects.map((object, index) => ({ ...object, meta: { ...object.meta, name: `${prefix}-${index}` } }));

/** The Servers as if they had been written for ExternalWorkloads. */
const selectingOutside = (servers: readonly KubeObject<'Server'>[]): readonly KubeObject<'Server'>[] =>
  servers.map((server) => {
    const { spec } = server;
    if (isRejected(spec)) return { ...server, spec: { ...spec, closesExternal: spec.closes } };
    const { podSelector, ...rest } = spec;
    if (podSelector === undefined) return server;
    return { ...server, spec: { ...rest, podSelector: undefined, externalWorkloadSelector: podSelector } };
  });

/** What is random of a situation but for its surroundings. */
type Theme = Pick<
  Situation,
  'port' | 'servers' | 'routes' | 'authorizationPolicies' | 'serverAuthorizations' | 'unreadableManifests'
> & {
  readonly policies: Situation['networkAuthenticationPolicies'];
  readonly defaultPolicy: DefaultPolicy;
};

const casesOf = (themes: fc.Arbitrary<Theme>): fc.Arbitrary<Case> =>
  fc.tuple(themes, surroundings).map(([theme, around]) => {
    const backend = aPod({
      name: 'backend',
      labels: { app: 'backend' },
      ips: ['10.0.1.1'],
      annotations: around.targetAnnotations,
      ports: [
        { name: 'http', port: 8080 },
        { name: 'http', port: 4143 },
        { name: 'grpc', port: 9000 },
      ],
      probes: around.probes,
      proxyPorts: around.proxyPorts,
    });
    const outside = anExternalWorkload({
      name: 'backend',
      labels: backend.meta.labels,
      annotations: around.targetAnnotations,
      ports: backend.spec.ports,
    });
    const { defaultPolicy, policies: written, ...objects } = theme;
    const selecting =
      around.isOutside && !around.areServersForPods ? selectingOutside(objects.servers) : objects.servers;
    const { clusterNetworks, probeNetworks, pods, meshTls, net } = around;
    return {
      situation: {
        target: around.isOutside ? outside : backend,
        port: objects.port,
        cluster: aClusterConfig({
          mesh,
          defaultPolicy,
          clusterNetworks,
          probeNetworks,
          defaultOpaquePorts: around.opaquePorts,
        }),
        pods: [backend, ...pods],
        externalWorkloads: around.isOutside ? [outside] : [],
        namespaces: [
          aNamespace({ name: 'demo', annotations: around.namespaceAnnotations }),
          aNamespace({ name: 'other', labels: { team: 'x' } }),
        ],
        networkAuthenticationPolicies: named('policy', written),
        servers: named('server', selecting),
        authorizationPolicies: named('authorization', objects.authorizationPolicies),
        serverAuthorizations: named('server-authorization', objects.serverAuthorizations),
        meshTlsAuthentications: meshTls === undefined ? [] : [meshTls],
        networkAuthentications:
          net === undefined
            ? []
            : [aNetworkAuthentication({ namespace: 'other', name: 'net-0', networks: net })],
        routes: named('route', objects.routes),
        rateLimits: named('limit', around.rateLimits),
        unreadableManifests: objects.unreadableManifests,
        matchesRegex: matchesWhole,
      },
      attempts: around.attempts.map((one) => attemptAmong(pods, one)),
    };
  });

export const cases = casesOf(
  fc.oneof<fc.Arbitrary<Theme>[]>(anything, rulesAlone, routesAttached, grpcRoutesAttached),
);

/** Those in which proxies have much to count. */
export const auditedCases = casesOf(auditsAlone);

/** Those in which much depends on routes. */
export const routedCases = casesOf(
  fc.oneof<fc.Arbitrary<Theme>[]>(routesAttached, twoServers(routesOfEither, 'unknown')),
);
export const grpcRoutedCases = casesOf(
  fc.oneof<fc.Arbitrary<Theme>[]>(grpcRoutesAttached, twoServers(grpcRoutesOfEither, 'gRPC')),
);
