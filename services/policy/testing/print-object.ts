import type { GrpcMatch, HttpFilter, HttpMatch, ValueMatch } from '@gatehouse/core/inbound/inbound-server';
import { type NetworkMatch, printNetwork } from '@gatehouse/core/ip-network';
import { type IdentityMatch, printSuffix } from '@gatehouse/core/mesh/identity-match';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import {
  isRejected,
  type Kind,
  type KubeObject,
  type Rejected,
  type Specs,
} from '@gatehouse/core/resources/kinds';
import type { PolicyRule, PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type { GrpcRouteSpec, HttpRouteSpec } from '@gatehouse/core/resources/kinds/gateway';
import type {
  AuthorizationPolicySpec,
  ServerAuthorizationSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';

/** The kinds that somebody can break in a random situation. */
export const printableKinds = [
  'Namespace',
  'Pod',
  'ExternalWorkload',
  'Server',
  'NetworkAuthenticationPolicy',
  'AuthorizationPolicy',
  'ServerAuthorization',
  'HTTPLocalRateLimitPolicy',
  'MeshTLSAuthentication',
  'NetworkAuthentication',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'GRPCRoute',
] as const satisfies readonly Kind[];

export type PrintableKind = (typeof printableKinds)[number];

/** The object as its author would write it, for tests that break it as authors do; undefined for a rejected one. */
export const printObject = ({ kind, meta, spec }: KubeObject<PrintableKind>): WireObject | undefined => {
  if (isRejected(spec)) return undefined;
  const { group, versions, wireKind, namespaced } = kindTable[kind];
  return withoutUndefined({
    apiVersion: group === '' ? versions[0] : `${group}/${versions[0]}`,
    kind: wireKind,
    metadata: withoutUndefined({
      name: meta.name,
      namespace: namespaced ? meta.namespace : undefined,
      creationTimestamp: meta.createdAt === 0 ? undefined : printTime(meta.createdAt),
      deletionTimestamp: printTime(meta.deletedAt),
      labels: Object.keys(meta.labels).length === 0 ? undefined : meta.labels,
      annotations: Object.keys(meta.annotations).length === 0 ? undefined : meta.annotations,
    }),
    spec: withoutUndefined((printSpec[kind] as (spec: object) => WireObject)(spec)),
    status: kind === 'Pod' ? printStatus(spec as Whole<'Pod'>) : undefined,
  });
};

const printTime = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

const printStatus = ({ phase, ready, ips, startedAt, terminated }: Whole<'Pod'>): WireObject =>
  withoutUndefined({
    phase,
    podIPs: ips.map((ip) => ({ ip })),
    startTime: printTime(startedAt),
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', state: terminated ? { terminated: {} } : { running: {} } }],
  });

const printContainers = ({ ports, probes }: Whole<'Pod'>): readonly WireObject[] => [
  { name: 'c', ports: ports.map(({ name, port }) => ({ name, containerPort: port })) },
  ...probes.map((probe, at) => ({
    name: `probed-${at}`,
    livenessProbe:
      probe.kind === 'http'
        ? { httpGet: { port: probe.port, path: probe.path } }
        : { grpc: { port: probe.port } },
  })),
];

type Whole<K extends Kind> = Exclude<Specs[K], Rejected>;

const withoutUndefined = (fields: WireObject): WireObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const linkerd = 'policy.linkerd.io';
const gateway = 'gateway.networking.k8s.io';

const printPort = (port: PortSelector): WireObject =>
  port.kind === 'name'
    ? { port: port.name }
    : { port: port.first, ...(port.last === port.first ? {} : { endPort: port.last }) };

const printIdentityMatch = (match: IdentityMatch): string =>
  match.kind === 'exact' ? printIdentity(match.identity) : printSuffix(match.parts);

const printMatch = ({ net, except }: NetworkMatch): WireObject => ({
  cidr: printNetwork(net),
  ...(except.length === 0 ? {} : { except: except.map(printNetwork) }),
});

const printSource = (source: PolicySource): WireObject =>
  withoutUndefined({
    ...source,
    identities: source.identities?.map(printIdentityMatch),
    networks: source.networks?.map(printMatch),
  });

const printRule = (rule: PolicyRule): WireObject =>
  withoutUndefined({
    ...rule,
    paths: rule.paths?.map(({ kind, value }) => ({ type: kind === 'exact' ? 'Exact' : 'PathPrefix', value })),
  });

const pathTypes = { exact: 'Exact', prefix: 'PathPrefix', regex: 'RegularExpression' } as const;

const printValues = (values: readonly ValueMatch[]): readonly WireObject[] | undefined =>
  values.length === 0
    ? undefined
    : values.map(({ name, kind, value }) => ({ type: pathTypes[kind], name, value }));

const printHttpMatch = ({ path, method, headers, queryParams }: HttpMatch): WireObject =>
  withoutUndefined({
    path: path && { type: pathTypes[path.kind], value: path.value },
    method,
    headers: printValues(headers),
    queryParams: printValues(queryParams),
  });

const printFilter = (filter: HttpFilter): WireObject =>
  filter.kind === 'redirect'
    ? { type: 'RequestRedirect', requestRedirect: { statusCode: filter.status } }
    : {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { add: filter.add, set: filter.set, remove: filter.remove },
      };

const printGrpcMatch = ({ service, method, headers }: GrpcMatch): WireObject =>
  withoutUndefined({
    method:
      service === '' && method === ''
        ? undefined
        : withoutUndefined({ service: service || undefined, method: method || undefined }),
    headers: printValues(headers),
  });

const printHttpRoute = (spec: HttpRouteSpec): WireObject => printRoute(spec, printHttpMatch);
const printGrpcRoute = (spec: GrpcRouteSpec): WireObject => printRoute(spec, printGrpcMatch);

interface RouteSpec<Match> {
  readonly servers: readonly string[];
  readonly hosts: readonly string[];
  readonly rules: readonly { readonly matches: readonly Match[]; readonly filters: readonly HttpFilter[] }[];
}

const printRoute = <Match>(
  { servers, hosts, rules }: RouteSpec<Match>,
  printMatch: (match: Match) => WireObject,
): WireObject => ({
  parentRefs: servers.map((name) => ({ group: linkerd, kind: 'Server', name })),
  hostnames: hosts.length === 0 ? undefined : hosts,
  rules: rules.map(({ matches, filters }) =>
    withoutUndefined({
      matches: matches.length === 0 ? undefined : matches.map(printMatch),
      filters: filters.length === 0 ? undefined : filters.map(printFilter),
    }),
  ),
});

const printTarget = (target: AuthorizationPolicySpec['target']): WireObject => {
  switch (target.kind) {
    case 'Namespace':
      return { group: '', kind: 'Namespace', name: 'demo' };
    case 'Server':
    case 'HTTPRoute':
      return { group: linkerd, kind: target.kind, name: target.name };
    case 'GatewayHTTPRoute':
      return { group: gateway, kind: 'HTTPRoute', name: target.name };
    case 'GRPCRoute':
      return { group: gateway, kind: 'GRPCRoute', name: target.name };
  }
};

const printClients = (clients: ServerAuthorizationSpec['clients']): WireObject => {
  switch (clients.kind) {
    case 'unauthenticated':
      return { unauthenticated: true };
    case 'tls':
      return { meshTLS: { unauthenticatedTLS: true } };
    case 'identities':
      return {
        meshTLS: {
          identities: clients.identities.map(printIdentityMatch),
          serviceAccounts: clients.serviceAccounts,
        },
      };
  }
};

const printRate = (requestsPerSecond: number | undefined): WireObject | undefined =>
  requestsPerSecond === undefined ? undefined : { requestsPerSecond };

const printSpec = {
  Namespace: () => ({}),
  Pod: (spec) => ({
    serviceAccountName: spec.serviceAccount,
    hostNetwork: spec.hostNetwork,
    containers: printContainers(spec),
  }),
  ExternalWorkload: ({ identity, serverName, ports, ips }) => ({
    meshTLS: { identity, serverName },
    ports: ports.map(({ name, port }) => withoutUndefined({ name: name || undefined, port })),
    workloadIPs: ips.map((ip) => ({ ip })),
  }),
  Server: ({ podSelector, externalWorkloadSelector = {}, port, proxyProtocol, accessPolicy }) => ({
    ...(podSelector === undefined ? { externalWorkloadSelector } : { podSelector }),
    port: port.kind === 'name' ? port.name : port.first,
    proxyProtocol,
    accessPolicy,
  }),
  NetworkAuthenticationPolicy: ({ target, ports, sources, rules, allowUnnormalizedPaths, mode }) => ({
    target: { selector: target },
    ports: ports === 'all' ? undefined : ports.map(printPort),
    sources: sources.map(printSource),
    rules: rules?.map(printRule),
    allowUnnormalizedPaths,
    mode,
  }),
  AuthorizationPolicy: ({ target, authentications }) => ({
    targetRef: printTarget(target),
    requiredAuthenticationRefs: authentications.map(({ kind, ...ref }) => ({
      group: kind === 'ServiceAccount' ? '' : linkerd,
      kind,
      ...ref,
    })),
  }),
  ServerAuthorization: ({ server, networks, clients }) => ({
    server: server.kind === 'name' ? { name: server.name } : { selector: server.selector },
    client: withoutUndefined({ networks: networks?.map(printMatch), ...printClients(clients) }),
  }),
  HTTPLocalRateLimitPolicy: ({ server, total, identity, overrides }) => ({
    targetRef: { group: linkerd, kind: 'Server', name: server },
    total: printRate(total),
    identity: printRate(identity),
    overrides: overrides.map(({ requestsPerSecond, serviceAccounts }) => ({
      requestsPerSecond,
      clientRefs: serviceAccounts.map((ref) => ({ group: '', kind: 'ServiceAccount', ...ref })),
    })),
  }),
  MeshTLSAuthentication: ({ identities, identityRefs }) => ({
    identities: identities.length === 0 ? undefined : identities.map(printIdentityMatch),
    identityRefs: identityRefs.length === 0 ? undefined : identityRefs,
  }),
  NetworkAuthentication: ({ networks }) => ({ networks: networks.map(printMatch) }),
  HTTPRoute: printHttpRoute,
  GatewayHTTPRoute: printHttpRoute,
  GRPCRoute: printGrpcRoute,
} satisfies { readonly [K in PrintableKind]: (spec: Whole<K>) => WireObject };
