import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { externalWorkloads } from './random-external-workloads.ts';
import {
  accountRef,
  elsewhere,
  here,
  identityName,
  labels,
  maybe,
  names,
  networks,
  refNamespace,
  said,
  selector,
  someObjects,
  usually,
} from './random-parts.ts';
import { pods, settings } from './random-pods.ts';
import { gatewayHttpRoutes, grpcRoutes, policyHttpRoutes } from './random-routes.ts';

const group = 'policy.linkerd.io';

const server: fc.Arbitrary<WireObject> = said({
  // A Server is for pods or for ExternalWorkloads.
  podSelector: fc.option(selector, { nil: undefined, freq: 1 }),
  externalWorkloadSelector: selector,
  port: fc.constantFrom(8080, 8080, 9000, 4191, 7777, 'http', 'admin', 'nosuch'),
  // By name as often as by number: ExternalWorkloads are few, and so are their ports.
  externalPort: fc.constantFrom(8080, 9000, 'http', 'http', 'admin', 'db'),
  proxyProtocol: fc.constantFrom(
    undefined,
    'unknown',
    'unknown',
    'HTTP/1',
    'HTTP/2',
    'gRPC',
    'opaque',
    'TLS',
  ),
  accessPolicy: fc.constantFrom(
    undefined,
    undefined,
    'deny',
    'all-unauthenticated',
    'all-authenticated',
    'cluster-unauthenticated',
    'cluster-authenticated',
    'audit',
  ),
}).map(({ externalWorkloadSelector, externalPort, ...spec }) =>
  spec.podSelector === undefined ? { ...spec, externalWorkloadSelector, port: externalPort } : spec,
);

/** The fields that a Server has in its version; what it does not know cannot be applied. */
export const ofItsVersion = (object: WireObject): WireObject => {
  if (object.kind !== 'Server' || String(object.apiVersion).endsWith('/v1beta3')) return object;
  const { accessPolicy: _, ...spec } = object.spec as WireObject;
  if (String(object.apiVersion).endsWith('/v1beta2')) return { ...object, spec };
  const { externalWorkloadSelector: __, ...older } = spec;
  return { ...object, spec: { podSelector: {}, ...older } };
};

const targetRef: fc.Arbitrary<WireObject> = fc.constantFrom<WireObject>(
  { group, kind: 'Server', name: 'server-0' },
  { group, kind: 'server', name: 'server-0' },
  { group: 'POLICY.linkerd.io', kind: 'Server', name: 'server-1' },
  { group: '', kind: 'Namespace', name: here },
  { kind: 'Namespace', name: here },
  { group: 'core', kind: 'namespace', name: here },
  { group, kind: 'HTTPRoute', name: 'route-0' },
  { group, kind: 'HttpRoute', name: 'route-1' },
  { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'route-0' },
  { group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', name: 'route-0' },
);

const meshRef = said({
  group: fc.constant(group),
  kind: fc.constantFrom('MeshTLSAuthentication', 'MeshTLSAuthentication', 'meshtlsauthentication'),
  name: fc.constantFrom('mesh-0', 'mesh-0', 'mesh-1'),
  namespace: refNamespace,
});
const networkRef = said({
  group: fc.constant(group),
  kind: fc.constantFrom('NetworkAuthentication', 'NetworkAuthentication', 'networkauthentication'),
  name: fc.constantFrom('net-0', 'net-0', 'net-1'),
  namespace: refNamespace,
});

const authorizationPolicy: fc.Arbitrary<WireObject> = said({
  targetRef,
  requiredAuthenticationRefs: fc
    .tuple(maybe(fc.oneof(meshRef, accountRef)), maybe(networkRef), fc.boolean())
    .map(([identity, network, networkFirst]) => {
      const refs = [identity, network].filter((ref) => ref !== undefined);
      return networkFirst ? refs.reverse() : refs;
    }),
});

const meshTlsAuthentication: fc.Arbitrary<WireObject> = fc.oneof(
  fc.record(
    { identities: fc.array(identityName, { minLength: 1, maxLength: 3 }) },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      identityRefs: fc.array(
        fc.oneof(
          accountRef,
          fc.constantFrom<WireObject>(
            { kind: 'Namespace', name: here },
            { group: '', kind: 'namespace', name: elsewhere },
          ),
        ),
        { minLength: 1, maxLength: 2 },
      ),
    },
    { noNullPrototype: true },
  ),
);

const serverAuthorization: fc.Arbitrary<WireObject> = said({
  server: fc.oneof(
    fc.constantFrom<WireObject>({ name: 'server-0' }, { name: 'server-1' }, { name: 'nosuch' }),
    selector.map((chosen) => ({ selector: chosen })),
  ),
  client: fc
    .tuple(
      maybe(usually(networks, fc.constant([]))),
      fc.oneof(
        fc.constant({ unauthenticated: true }),
        fc.constant({ meshTLS: { unauthenticatedTLS: true } }),
        fc
          .tuple(
            fc.array(identityName, { maxLength: 2 }),
            fc.array(said({ name: fc.constantFrom('default', 'web'), namespace: refNamespace }), {
              maxLength: 2,
            }),
          )
          .filter(([identities, accounts]) => identities.length + accounts.length > 0)
          .map(([identities, serviceAccounts]) => ({ meshTLS: { identities, serviceAccounts } })),
      ),
    )
    .map(([from, who]) => (from === undefined ? who : { networks: from, ...who })),
});

const networkAuthentication: fc.Arbitrary<WireObject> = networks.map((list) => ({ networks: list }));

/** The Namespaces of a case; the annotations reach the pods as the injector would have it. */
const namespaceSettings = usually(fc.constant({}), settings);

const requests = (most: number) =>
  fc.constantFrom(most, most / 10).map((requestsPerSecond) => ({ requestsPerSecond }));

const rateLimit: fc.Arbitrary<WireObject> = said({
  targetRef: fc.constantFrom<WireObject>(
    { group, kind: 'Server', name: 'server-0' },
    { group, kind: 'server', name: 'server-0' },
    { group, kind: 'Server', name: 'server-1' },
  ),
  total: maybe(requests(1_000)),
  identity: maybe(requests(100)),
  overrides: maybe(
    fc.array(
      fc.record(
        {
          requestsPerSecond: fc.constantFrom(20, 50),
          clientRefs: fc.array(accountRef, { minLength: 1, maxLength: 2 }),
        },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 2 },
    ),
  ),
});

export interface RandomCluster {
  readonly namespaceSettings: WireObject;
  readonly objects: readonly WireObject[];
}

/** Everything that inbound policy of Linkerd is made of and that ours compiles, around the targets. */
export const randomCluster: fc.Arbitrary<RandomCluster> = fc
  .tuple(
    namespaceSettings,
    fc.tuple(pods, externalWorkloads).map((targets) => targets.flat()),
    someObjects(group, 'Server', {
      versions: ['v1beta3', 'v1beta3', 'v1beta2', 'v1beta1', 'v1alpha1'],
      called: names('server', 4),
      spec: server,
      marked: labels,
    }),
    someObjects(group, 'AuthorizationPolicy', {
      versions: ['v1alpha1'],
      called: [...names('authorization', 3), ...names('authorization', 1, [elsewhere])],
      spec: authorizationPolicy,
    }),
    someObjects(group, 'MeshTLSAuthentication', {
      versions: ['v1alpha1'],
      called: names('mesh', 2, [here, elsewhere]),
      spec: meshTlsAuthentication,
    }),
    someObjects(group, 'NetworkAuthentication', {
      versions: ['v1alpha1'],
      called: names('net', 2, [here, elsewhere]),
      spec: networkAuthentication,
    }),
    someObjects(group, 'HTTPLocalRateLimitPolicy', {
      versions: ['v1alpha1'],
      called: names('limit', 2),
      spec: rateLimit,
    }),
    someObjects(group, 'ServerAuthorization', {
      versions: ['v1beta1', 'v1alpha1'],
      called: names('server-authorization', 2),
      spec: serverAuthorization,
    }),
    fc.oneof(
      { arbitrary: fc.constant([]), weight: 1 },
      {
        arbitrary: fc.tuple(policyHttpRoutes, gatewayHttpRoutes).map((routes) => routes.flat()),
        weight: 1,
      },
      // Beside a GRPCRoute Linkerd takes an HTTPRoute from its Server: told-apart.ts shows it.
      { arbitrary: grpcRoutes, weight: 1 },
    ),
  )
  .map(([annotations, made, ...others]) => ({
    namespaceSettings: annotations,
    objects: [
      ...made.map((target) => injected(target, annotations)),
      ...speakingGrpc(others.flat()).map(ofItsVersion),
    ],
  }));

/** Where there are GRPCRoutes, the Server that most of them name speaks gRPC: elsewhere they route nothing. */
const speakingGrpc = (objects: readonly WireObject[]): readonly WireObject[] =>
  objects.some(({ kind }) => kind === 'GRPCRoute')
    ? objects.map((object) =>
        object.kind === 'Server' && (object.metadata as WireObject).name === 'server-0'
          ? { ...object, spec: { ...(object.spec as WireObject), proxyProtocol: 'gRPC' } }
          : object,
      )
    : objects;

/**
 * The injector copies what a pod does not say from its Namespace. No injector sees an ExternalWorkload, so that its author
 * does here: told-apart.ts shows what comes of it elsewhere.
 */
export const injected = (target: WireObject, inherited: WireObject): WireObject => {
  const metadata = target.metadata as WireObject;
  return {
    ...target,
    metadata: { ...metadata, annotations: { ...inherited, ...(metadata.annotations as object) } },
  };
};
