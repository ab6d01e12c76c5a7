import { type NetworkMatch, parseNetwork } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import type { IdentityMatch } from '@gatehouse/core/mesh/identity-match';
import { suffixParts } from '@gatehouse/core/mesh/identity-match';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import {
  identityOf,
  identitySuffix,
  parseIdentity,
  printIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import type { PolicyRule, PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import { defaultPolicies, type ServerSpec } from '@gatehouse/core/resources/kinds/linkerd';
import {
  aMeshTlsAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  aRejected,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';

/** Random policy objects of a small cluster in which things collide: paths that are prefixes of each other or only look so. */
export const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
export const identity = (namespace: string, account: string): string =>
  printIdentity(identityOf(mesh, namespace, account));

export const network = (cidr: string, ...except: string[]): NetworkMatch => {
  const read = (text: string) => {
    const net = parseNetwork(text);
    if (!net.ok) throw new Error(text);
    return net.value;
  };
  return { net: read(cidr), except: except.map(read) };
};

export const networks = fc.constantFrom(
  network('10.0.0.0/8'),
  network('10.0.0.0/30', '10.0.0.2/32'),
  network('192.168.0.0/16'),
  network('fd00::/8', 'fd00::9'),
  network('0.0.0.0/0'),
);

/** Half of what there is, so that absent parts are as frequent as present ones. */
export const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

export const rarely = <T>(usual: T, rare: T): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 9 }, { arbitrary: fc.constant(rare), weight: 1 });

/** Leaves out what is undefined: `exactOptionalPropertyTypes` knows the difference. */
export const withoutUndefined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;

export const createdAt = fc.constantFrom(0, 1, 2);

const podSelector = fc.constantFrom(labelled({ app: 'frontend' }), labelled({ app: 'intruder' }), everything);
const namespaceSelector = fc.constantFrom(labelled({ team: 'x' }), everything, {
  matchLabels: {},
  matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }],
} as const);
export const identityMatch: fc.Arbitrary<IdentityMatch> = fc.constantFrom<IdentityMatch>(
  { kind: 'exact', identity: identityOf(mesh, 'demo', 'default') },
  { kind: 'exact', identity: parseIdentity('spiffe://elsewhere/app') },
  { kind: 'suffix', parts: [] },
  { kind: 'suffix', parts: suffixParts(identitySuffix(mesh, 'other')) },
);
export const account = fc.constantFrom(
  { namespace: 'demo', name: 'default' },
  { namespace: 'demo', name: 'web' },
  { namespace: 'other', name: 'default' },
);

const labelSource = fc.record({
  podSelector: maybe(podSelector),
  namespaceSelector: maybe(namespaceSelector),
});
const source: fc.Arbitrary<PolicySource> = fc
  .oneof(
    { arbitrary: fc.record({ podSelector }), weight: 4 },
    { arbitrary: labelSource, weight: 2 },
    {
      arbitrary: fc.record({ podSelector, networks: fc.array(networks, { minLength: 1, maxLength: 1 }) }),
      weight: 2,
    },
    { arbitrary: fc.record({ serviceAccounts: fc.array(account, { maxLength: 2 }) }), weight: 1 },
    { arbitrary: fc.record({ identities: fc.array(identityMatch, { maxLength: 2 }) }), weight: 1 },
    { arbitrary: fc.record({ networks: fc.array(networks, { maxLength: 2 }) }), weight: 1 },
    {
      arbitrary: fc.record({
        podSelector: maybe(podSelector),
        namespaceSelector: maybe(namespaceSelector),
        serviceAccounts: maybe(fc.array(account, { minLength: 1, maxLength: 2 })),
        identities: maybe(fc.array(identityMatch, { minLength: 1, maxLength: 2 })),
        networks: maybe(fc.array(networks, { minLength: 1, maxLength: 2 })),
      }),
      weight: 2,
    },
  )
  .map(withoutUndefined)
  .filter((value) => Object.keys(value).length > 0);

const rulePath = fc.constantFrom(
  { kind: 'prefix', value: '/' },
  { kind: 'prefix', value: '/api' },
  { kind: 'prefix', value: '/api/' },
  { kind: 'prefix', value: '/api/v1' },
  { kind: 'prefix', value: '/apix' },
  { kind: 'prefix', value: '/pkg.Svc' },
  { kind: 'exact', value: '/' },
  { kind: 'exact', value: '/api' },
  { kind: 'exact', value: '/api/' },
  { kind: 'exact', value: '/api/v1' },
  { kind: 'exact', value: '/healthz' },
  { kind: 'exact', value: '/pkg.Svc/Get' },
  { kind: 'prefix', value: '/pkg.Svc/Get' },
  { kind: 'exact', value: '/too/many/segments' },
) as fc.Arbitrary<{ readonly kind: 'exact' | 'prefix'; readonly value: string }>;
const ruleHeader = fc.constantFrom(
  { name: 'x-tenant', value: 'blue' },
  { name: 'X-Tenant', value: 'red' },
  { name: 'x-env', value: 'a' },
);
const rule: fc.Arbitrary<PolicyRule> = fc
  .record({
    methods: maybe(fc.uniqueArray(fc.constantFrom('GET', 'POST', 'PUT'), { minLength: 1, maxLength: 2 })),
    paths: maybe(fc.uniqueArray(rulePath, { minLength: 1, maxLength: 3 })),
    headers: maybe(fc.array(ruleHeader, { minLength: 1, maxLength: 2 })),
  })
  .map(withoutUndefined)
  .filter((value) => Object.keys(value).length > 0);

const portSelectors: fc.Arbitrary<readonly PortSelector[] | 'all'> = fc.constantFrom<
  readonly PortSelector[] | 'all'
>(
  'all',
  [{ kind: 'range', first: 8080, last: 8080 }],
  [{ kind: 'name', name: 'http' }],
  [{ kind: 'range', first: 8000, last: 9000 }],
  [{ kind: 'range', first: 4191, last: 4191 }],
  [{ kind: 'range', first: 1, last: 65_535 }],
);
const target = fc.constantFrom(
  labelled({ app: 'backend' }),
  labelled({ app: 'backend' }),
  everything,
  labelled({ app: 'elsewhere' }),
);

const policyOf = (mode: fc.Arbitrary<'Enforce' | 'Audit'>) =>
  fc
    .record({
      target,
      ports: portSelectors,
      sources: fc.array(source, { maxLength: 2 }),
      rules: fc.option(fc.array(rule, { maxLength: 3 }), { nil: undefined, freq: 2 }),
      allowUnnormalizedPaths: fc.boolean(),
      mode,
      createdAt,
    })
    .map((spec) => aNetworkAuthenticationPolicy(spec));

const anyPolicy = policyOf(rarely<'Enforce' | 'Audit'>('Enforce', 'Audit'));

export const auditPolicies = fc.array(policyOf(fc.constant('Audit')), { minLength: 1, maxLength: 3 });

/** Policies of every kind, some of them rejected. */
export const policies = fc.array(
  fc.oneof(
    { arbitrary: anyPolicy, weight: 14 },
    {
      arbitrary: fc
        .record({ selector: target, ports: portSelectors })
        .map((closes) => aRejected('NetworkAuthenticationPolicy', { closes })),
      weight: 1,
    },
  ),
  { maxLength: 4 },
);

/** Policies whose rules meet on every port, and whose sources admit many. */
export const ruledPolicies = fc.array(
  fc
    .record({
      target: fc.constant(everything),
      ports: fc.constant('all' as const),
      sources: fc.constantFrom<readonly PolicySource[]>(
        [{ podSelector: everything }],
        [{ podSelector: labelled({ app: 'frontend' }) }],
        [{ serviceAccounts: [{ namespace: 'demo', name: 'default' }] }],
        [{ networks: [network('10.0.0.0/30', '10.0.0.2/32')] }],
      ),
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      allowUnnormalizedPaths: rarely(false, true),
      createdAt,
    })
    .map((spec) => aNetworkAuthenticationPolicy(spec)),
  { minLength: 2, maxLength: 4 },
);

const accessPolicy = fc.oneof(
  { arbitrary: fc.constant('deny' as const), weight: 3 },
  { arbitrary: fc.constantFrom(...defaultPolicies), weight: 1 },
);
const protocols: readonly ServerSpec['proxyProtocol'][] = [
  'unknown',
  'unknown',
  'HTTP/1',
  'HTTP/2',
  'gRPC',
  'opaque',
  'TLS',
];
const anyServer = fc
  .record({
    podSelector: fc.constantFrom(
      labelled({ app: 'backend' }),
      everything,
      labelled({ app: 'elsewhere' }),
      undefined,
    ),
    port: fc.constantFrom<PortSelector>(
      { kind: 'range', first: 8080, last: 8080 },
      { kind: 'name', name: 'http' },
      { kind: 'range', first: 9000, last: 9000 },
    ),
    proxyProtocol: fc.constantFrom(...protocols),
    accessPolicy,
    labels: fc.constantFrom({}, { tier: 'front' }),
    createdAt,
  })
  .map((spec) => aServer(spec));

/** None as often as some; a few rejected. */
export const servers = fc.array(
  fc.oneof(
    { arbitrary: anyServer, weight: 9 },
    {
      arbitrary: fc
        .record({
          closes: fc.record({ selector: target, ports: portSelectors }),
          governs: fc.constantFrom('surely' as const, 'perhaps' as const),
          proxyProtocol: fc.constantFrom(...protocols, undefined),
          createdAt,
        })
        .map((spec) => aRejected('Server', spec)),
      weight: 2,
    },
  ),
  { maxLength: 3 },
);

const authorizationPolicy = fc
  .record({
    target: fc.constantFrom(
      { kind: 'Server', name: 'server-0' },
      { kind: 'Namespace' },
      { kind: 'HTTPRoute', name: 'route-0' },
      { kind: 'HTTPRoute', name: 'route-1' },
      { kind: 'GatewayHTTPRoute', name: 'route-1' },
      { kind: 'GRPCRoute', name: 'route-0' },
      { kind: 'GRPCRoute', name: 'route-1' },
    ) as fc.Arbitrary<{ readonly kind: 'Namespace' } | { readonly kind: 'Server'; readonly name: string }>,
    authentications: fc.subarray(
      [
        { kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'mesh-0' },
        { kind: 'NetworkAuthentication', namespace: 'other', name: 'net-0' },
        { kind: 'NetworkAuthentication', namespace: 'demo', name: 'missing' },
        { kind: 'ServiceAccount', namespace: 'demo', name: 'default' },
      ] as const,
      { maxLength: 2 },
    ),
    createdAt,
  })
  .filter(({ authentications }) => {
    const kinds = authentications.map(({ kind }) =>
      kind === 'NetworkAuthentication' ? 'network' : 'identity',
    );
    return new Set(kinds).size === kinds.length;
  })
  .map((spec) => anAuthorizationPolicy(spec));

export const authorizationPolicies = fc.array(authorizationPolicy, { maxLength: 3 });

export const meshTlsAuthentication = fc.oneof(
  {
    arbitrary: fc
      .record({
        identities: fc.array(identityMatch, { maxLength: 2 }),
        identityRefs: fc.array(
          fc.constantFrom(
            { kind: 'ServiceAccount', namespace: 'demo', name: 'default' } as const,
            { kind: 'Namespace', name: 'demo' } as const,
          ),
          { maxLength: 1 },
        ),
      })
      .map((spec) => aMeshTlsAuthentication({ ...spec, name: 'mesh-0' })),
    weight: 9,
  },
  { arbitrary: fc.constant(aRejected('MeshTLSAuthentication', { name: 'mesh-0' })), weight: 1 },
);
