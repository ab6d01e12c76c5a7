import { everywhere } from '@gatehouse/core/ip-network';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aGatewayHttpRoute,
  aGrpcRoute,
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anExternalWorkload,
  anHttpRoute,
  aPod,
  aRateLimit,
  aRejected,
  aServer,
  aServerAuthorization,
  labelled,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { type InboundKind, watchedForInbound } from '../src/core/inbound/rows/inbound-kinds.ts';

const namespaceName = fc.constantFrom('demo', 'demo', 'demo', 'other');
const objectName = fc.constantFrom('a', 'b');
const labels = fc.record(
  { app: fc.constantFrom('front', 'back'), tier: fc.constantFrom('x', 'y') },
  { requiredKeys: [], noNullPrototype: true },
);
const selector = fc.oneof(
  labels.map(labelled),
  fc.constant({ matchLabels: {}, matchExpressions: [{ key: 'tier', operator: 'Exists' as const }] }),
);
const portSelector = fc.oneof(
  fc.constantFrom(8080, 9000).map((port) => ({ kind: 'range' as const, first: port, last: port })),
  fc.constant({ kind: 'name' as const, name: 'http' }),
);
const named = { namespace: namespaceName, name: objectName };
const createdAt = fc.constantFrom(0, 1);
const plain = { noNullPrototype: true };

const anyPod = fc
  .record(
    {
      namespace: namespaceName,
      name: fc.constantFrom('a', 'b', 'c'),
      labels,
      age: fc.constantFrom({}, { startedAt: 1 }, { startedAt: 2 }, { startedAt: 2, deletedAt: 3 }),
      uid: fc.constantFrom('one', 'two'),
      ips: fc.subarray(['10.0.0.1', '10.0.0.2', 'fd00::1']),
      serviceAccount: fc.constantFrom('default', 'web'),
      phase: fc.constantFrom('Running' as const, 'Running' as const, 'Succeeded' as const),
      hostNetwork: fc.constantFrom(false, false, false, true),
      ready: fc.boolean(),
      meshed: fc.constantFrom(true, true, true, false),
      ports: fc.constantFrom([], [{ name: 'http', port: 8080 }]),
      probes: fc.constantFrom([], [{ kind: 'http' as const, port: 8080, path: '/live' }]),
      unopened: fc.constantFrom([], [{ kind: 'hook' as const, port: 8080, path: '/stop' }]),
      proxyPorts: fc.constantFrom(usualProxyPorts, usualProxyPorts, { ...usualProxyPorts, admin: 8080 }),
    },
    plain,
  )
  .map(({ age, ...pod }) => aPod({ ...pod, ...age }));

const anySource = fc.oneof(
  fc.record({ podSelector: selector }, plain),
  fc.record({ namespaceSelector: fc.constantFrom(labelled({ team: 'red' }), labelled({})) }, plain),
  fc.record({ podSelector: selector, namespaceSelector: fc.constant(labelled({ team: 'red' })) }, plain),
  fc.record({ networks: fc.constant(everywhere) }, plain),
);

const rejected = <
  K extends
    | 'NetworkAuthenticationPolicy'
    | 'Server'
    | 'AuthorizationPolicy'
    | 'ServerAuthorization'
    | 'MeshTLSAuthentication',
>(
  kind: K,
) =>
  fc
    .record({ ...named, selector })
    .map(({ selector: closed, ...meta }) =>
      aRejected(kind, { closes: { selector: closed, ports: 'all' }, ...meta }),
    );

const rejectedRoute = <K extends 'HTTPRoute' | 'GatewayHTTPRoute' | 'GRPCRoute'>(kind: K) =>
  fc
    .record({ ...named, attachedTo: fc.constantFrom('all' as const, ['a']) })
    .map(({ attachedTo, ...meta }) => aRejected(kind, { attachedTo, ...meta }));

const usually = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: rare });

const route = fc.record({ ...named, servers: fc.subarray(['a', 'b']) }, plain);

/** Random objects of each kind that rows can depend on. A kind without a row here does not compile. */
export const objects = {
  Pod: anyPod,
  Namespace: fc
    .record(
      {
        name: namespaceName,
        labels: fc.constantFrom({}, { team: 'red' }),
        annotations: fc.constantFrom(
          {},
          { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
        ),
      },
      plain,
    )
    .map(aNamespace),
  NetworkAuthenticationPolicy: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          createdAt,
          target: selector,
          ports: fc.oneof(
            fc.constant('all' as const),
            fc.array(portSelector, { minLength: 1, maxLength: 2 }),
          ),
          sources: fc.array(anySource, { minLength: 1, maxLength: 2 }),
          rules: fc.constantFrom(undefined, undefined, [{ methods: ['GET'] }]),
        },
        plain,
      )
      .map(aNetworkAuthenticationPolicy),
    rejected('NetworkAuthenticationPolicy'),
  ),
  ExternalWorkload: fc
    .record(
      {
        ...named,
        labels,
        uid: fc.constantFrom('one', 'two'),
        ports: fc.constantFrom([], [{ name: 'http', port: 8080 }], [{ name: 'http', port: 9000 }]),
        annotations: fc.constantFrom({}, { 'config.linkerd.io/default-inbound-policy': 'all-authenticated' }),
      },
      plain,
    )
    .map(anExternalWorkload),
  Server: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          createdAt,
          labels,
          podSelector: fc.option(selector, { nil: undefined }),
          port: portSelector,
          proxyProtocol: fc.constantFrom('unknown' as const, 'unknown' as const, 'gRPC' as const),
        },
        plain,
      )
      .chain(({ podSelector, ...server }) =>
        podSelector === undefined
          ? selector.map((externalWorkloadSelector) =>
              aServer({ ...server, podSelector, externalWorkloadSelector }),
            )
          : fc.constant(aServer({ ...server, podSelector })),
      ),
    rejected('Server'),
  ),
  AuthorizationPolicy: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          target: fc.oneof(
            fc.constant({ kind: 'Namespace' as const }),
            fc.record(
              {
                kind: fc.constantFrom(
                  'Server' as const,
                  'HTTPRoute' as const,
                  'GatewayHTTPRoute' as const,
                  'GRPCRoute' as const,
                ),
                name: objectName,
              },
              plain,
            ),
          ),
          authentications: fc.array(
            fc.record(
              {
                kind: fc.constantFrom('MeshTLSAuthentication' as const, 'NetworkAuthentication' as const),
                namespace: namespaceName,
                name: objectName,
              },
              plain,
            ),
            { maxLength: 1 },
          ),
        },
        plain,
      )
      .map(anAuthorizationPolicy),
    rejected('AuthorizationPolicy'),
  ),
  ServerAuthorization: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          createdAt,
          server: fc.oneof(
            fc.record({ kind: fc.constant('name' as const), name: objectName }, plain),
            fc.record({ kind: fc.constant('labels' as const), selector }, plain),
          ),
          networks: fc.constant(everywhere),
        },
        plain,
      )
      .map(aServerAuthorization),
    rejected('ServerAuthorization'),
  ),
  HTTPLocalRateLimitPolicy: usually<KubeObject>(
    fc
      .record({ ...named, createdAt, server: objectName, total: fc.constantFrom(1, 2) }, plain)
      .map(aRateLimit),
    fc
      .record({ ...named, createdAt, servers: fc.constantFrom('all' as const, ['a']) }, plain)
      .map(({ servers, ...meta }) =>
        aRejected('HTTPLocalRateLimitPolicy', {
          ...meta,
          limits: {
            servers,
            applies: servers === 'all' ? 'perhaps' : 'surely',
            rates: { total: 3, identity: undefined, overrides: [] },
          },
        }),
      ),
  ),
  MeshTLSAuthentication: usually<KubeObject>(
    fc
      .record({ ...named, identities: fc.constantFrom([], [{ kind: 'suffix' as const, parts: [] }]) }, plain)
      .map(aMeshTlsAuthentication),
    rejected('MeshTLSAuthentication'),
  ),
  NetworkAuthentication: fc
    .record({ ...named, networks: fc.constantFrom([], everywhere) }, plain)
    .map(aNetworkAuthentication),
  HTTPRoute: usually<KubeObject>(route.map(anHttpRoute), rejectedRoute('HTTPRoute')),
  GatewayHTTPRoute: usually<KubeObject>(route.map(aGatewayHttpRoute), rejectedRoute('GatewayHTTPRoute')),
  GRPCRoute: usually<KubeObject>(route.map(aGrpcRoute), rejectedRoute('GRPCRoute')),
} satisfies { readonly [K in InboundKind]: fc.Arbitrary<KubeObject> };

/** How often each is drawn; pods and our own policies matter most. */
const weights: Partial<Record<InboundKind, number>> = { Pod: 8, NetworkAuthenticationPolicy: 6, Server: 2 };

const anyObject: fc.Arbitrary<KubeObject> = fc.oneof(
  ...watchedForInbound.map((kind) => ({
    weight: weights[kind] ?? 1,
    arbitrary: objects[kind] as fc.Arbitrary<KubeObject>,
  })),
);

const noProblem = { field: '', found: '', fix: '' };

/** Random changes of what inbound rows are made of, with few names and labels, so that objects often meet. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 30,
    arbitrary: anyObject.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change),
  },
  {
    weight: 10,
    arbitrary: anyObject.map(({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as unknown as Change),
  },
  anyObject.map(({ kind }) => ({ type: 'reset', kind, objects: [] }) as Change),
  fc
    .constantFrom<readonly (readonly string[] | 'all')[]>([], [], ['all'], [['demo']], [['other'], ['demo']])
    .map(
      (about): Change => ({
        type: 'unreadable',
        manifests: about.map((namespaces) => ({ path: 'a.yaml', problem: noProblem, namespaces })),
      }),
    ),
);
