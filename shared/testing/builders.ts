import { createHash } from 'node:crypto';
import type { GrpcMatch, HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import { everything, type LabelSelector, type Labels } from '@gatehouse/core/label-selector';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import type {
  Kind,
  KubeObject,
  ObjectMeta,
  Rejected,
  RejectedRateLimit,
  RejectedRoute,
  RejectedServer,
  Specs,
} from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';

/** What a test says of an object; the builder supplies the boring rest. Meta and spec fields stand side by side. */
type Said<Spec> = Partial<ObjectMeta> & Partial<Spec>;

const metaFields: ReadonlySet<string> = new Set([
  'uid',
  'createdAt',
  'deletedAt',
  'labels',
  'annotations',
  'unreadTexts',
]);

type Good<K extends Kind> = Exclude<Specs[K], Rejected>;

const build = <K extends Kind>(
  kind: K,
  boring: Good<K> & Partial<ObjectMeta>,
  said: Said<Good<K>>,
): KubeObject<K> => {
  const { namespace = 'demo', name = 'a', ...rest }: Record<string, unknown> = { ...boring, ...said };
  const meta: Record<string, unknown> = {
    namespace,
    name,
    uid: defaultUid(kind, String(namespace), String(name)),
    createdAt: 0,
    labels: {},
    annotations: {},
  };
  const spec: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(rest)) {
    if (metaFields.has(field)) meta[field] = value;
    else spec[field] = value;
  }
  return { kind, meta: meta as unknown as ObjectMeta, spec: spec as unknown as Specs[K] };
};

/** The label that makes a pod of the mesh `gatehouse`. */
export const meshed: Labels = { [controlPlaneLabel]: 'gatehouse' };

/** A selector by labels alone. */
export const labelled = (matchLabels: Labels): LabelSelector => ({ matchLabels, matchExpressions: [] });

/** An address of 10.64.0.0/10 that depends on nothing but the pod's name, so that two pods rarely share one. */
const addressOf = (namespace: string, name: string): string => {
  const bytes = createHash('sha256').update(`${namespace}/${name}`).digest();
  return `10.${64 | (bytes.readUInt8(0) >> 2)}.${bytes.readUInt8(1)}.${bytes.readUInt8(2)}`;
};

/** A meshed pod that runs and is ready; `labels` join the mesh's label, `meshed: false` leaves that out. */
export const aPod = ({
  meshed: isMeshed = true,
  ...said
}: Said<Good<'Pod'>> & { readonly meshed?: boolean } = {}): KubeObject<'Pod'> =>
  build(
    'Pod',
    {
      serviceAccount: 'default',
      nodeName: '',
      ips: [addressOf(said.namespace ?? 'demo', said.name ?? 'a')],
      hostIps: [],
      hostNetwork: false,
      phase: 'Running',
      ready: true,
      terminated: false,
      ports: [],
      probes: [],
      hostname: '',
      subdomain: '',
      proxyPorts: usualProxyPorts,
      proxyListensOn: 'both',
    },
    { ...said, labels: { ...(isMeshed ? meshed : {}), ...said.labels } },
  );

export const aNamespace = (said: Said<Good<'Namespace'>> = {}): KubeObject<'Namespace'> => {
  const name = said.name ?? 'demo';
  const labels = { 'kubernetes.io/metadata.name': name, ...said.labels };
  return build('Namespace', { namespace: '' }, { ...said, name, labels });
};

export const aServiceAccount = (said: Said<Good<'ServiceAccount'>> = {}): KubeObject<'ServiceAccount'> =>
  build('ServiceAccount', { name: 'default' }, said);

/** A ClusterIP Service with port 80 to 8080. */
export const aService = (said: Said<Good<'Service'>> = {}): KubeObject<'Service'> =>
  build(
    'Service',
    {
      type: 'ClusterIP',
      clusterIps: ['10.32.0.1'],
      selector: { app: said.name ?? 'a' },
      ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: undefined }],
      internalTrafficLocal: false,
      trafficDistribution: undefined,
      publishNotReady: false,
    },
    said,
  );

export const anEndpointSlice = (said: Said<Good<'EndpointSlice'>> = {}): KubeObject<'EndpointSlice'> =>
  build(
    'EndpointSlice',
    { service: 'a', family: 4, ports: [{ name: 'http', port: 8080 }], endpoints: [] },
    said,
  );

/** Of no pod, unless it is said. */
export const aSliceEndpoint = (said: Partial<SliceEndpoint> = {}): SliceEndpoint => ({
  addresses: ['10.1.0.1'],
  ready: true,
  hostname: '',
  nodeName: '',
  zone: '',
  forZones: [],
  forNodes: [],
  target: undefined,
  ...said,
});

export const aNode = (said: Said<Good<'Node'>> = {}): KubeObject<'Node'> =>
  build('Node', { namespace: '', name: 'node-a', zone: '', ips: [] }, said);

/** The seed's policy: pods `app: frontend` of the namespace may call port 8080 of pods `app: backend`. */
export const aNetworkAuthenticationPolicy = (
  said: Said<Good<'NetworkAuthenticationPolicy'>> = {},
): KubeObject<'NetworkAuthenticationPolicy'> =>
  build(
    'NetworkAuthenticationPolicy',
    {
      name: 'frontend-can-talk-to-backend',
      target: labelled({ app: 'backend' }),
      ports: [{ kind: 'range', first: 8080, last: 8080 }],
      sources: [{ podSelector: labelled({ app: 'frontend' }) }],
      rules: undefined,
      allowUnnormalizedPaths: false,
      mode: 'Enforce',
    },
    said,
  );

/** A Server that claims port 8080 of every pod of its namespace and lets nobody in by itself. */
export const aServer = (said: Said<Good<'Server'>> = {}): KubeObject<'Server'> =>
  build(
    'Server',
    {
      podSelector: everything,
      port: { kind: 'range', first: 8080, last: 8080 },
      proxyProtocol: 'unknown',
      accessPolicy: 'deny',
    },
    said,
  );

export const anAuthorizationPolicy = (
  said: Said<Good<'AuthorizationPolicy'>> = {},
): KubeObject<'AuthorizationPolicy'> =>
  build(
    'AuthorizationPolicy',
    {
      target: { kind: 'Server', name: 'a' },
      authentications: [{ kind: 'MeshTLSAuthentication', namespace: said.namespace ?? 'demo', name: 'a' }],
    },
    said,
  );

/** Anyone from the networks of the cluster, unless the test says who. */
export const aServerAuthorization = (
  said: Said<Good<'ServerAuthorization'>> = {},
): KubeObject<'ServerAuthorization'> =>
  build(
    'ServerAuthorization',
    {
      server: { kind: 'name', name: 'a' },
      networks: undefined,
      clients: { kind: 'unauthenticated' },
    },
    said,
  );

/** A machine outside of the cluster that serves port 8080 as `http`. */
export const anExternalWorkload = (
  said: Said<Good<'ExternalWorkload'>> = {},
): KubeObject<'ExternalWorkload'> =>
  build(
    'ExternalWorkload',
    {
      identity: 'spiffe://elsewhere/vm',
      serverName: 'vm.elsewhere',
      ips: ['192.0.2.9'],
      ports: [{ name: 'http', port: 8080 }],
      ready: true,
    },
    said,
  );

/** Empty unless the test says something of requests; its name is that of a Service in full. */
export const aServiceProfile = (said: Said<Good<'ServiceProfile'>> = {}): KubeObject<'ServiceProfile'> =>
  build(
    'ServiceProfile',
    {
      name: 'a.demo.svc.cluster.local',
      routes: [],
      retryBudget: undefined,
      overrides: [],
      opaquePorts: undefined,
    },
    said,
  );

/** A hundred requests a second to the Server `a`, unless the test says which limits. */
export const aRateLimit = (
  said: Said<Good<'HTTPLocalRateLimitPolicy'>> = {},
): KubeObject<'HTTPLocalRateLimitPolicy'> =>
  build('HTTPLocalRateLimitPolicy', { server: 'a', total: 100, identity: undefined, overrides: [] }, said);

/** Any identity of any mesh with the same trust anchors, unless the test says which. */
export const aMeshTlsAuthentication = (
  said: Said<Good<'MeshTLSAuthentication'>> = {},
): KubeObject<'MeshTLSAuthentication'> =>
  build('MeshTLSAuthentication', { identities: [{ kind: 'suffix', parts: [] }], identityRefs: [] }, said);

/** Everywhere, unless the test says where. */
export const aNetworkAuthentication = (
  said: Said<Good<'NetworkAuthentication'>> = {},
): KubeObject<'NetworkAuthentication'> =>
  build(
    'NetworkAuthentication',
    { networks: [{ net: { family: 4, bits: 0n, prefix: 0 }, except: [] }] },
    said,
  );

const aRoute = { servers: ['a'], services: [], hosts: [], rules: [] };

/** A policy.linkerd.io HTTPRoute attached to the Server `a`; without rules, so that it matches nothing. */
export const anHttpRoute = (said: Said<Good<'HTTPRoute'>> = {}): KubeObject<'HTTPRoute'> =>
  build('HTTPRoute', aRoute, said);

/** The same of gateway.networking.k8s.io. */
export const aGatewayHttpRoute = (
  said: Said<Good<'GatewayHTTPRoute'>> = {},
): KubeObject<'GatewayHTTPRoute'> => build('GatewayHTTPRoute', aRoute, said);

/** A GRPCRoute attached to the Server `a`; without rules, so that it matches nothing. */
export const aGrpcRoute = (said: Said<Good<'GRPCRoute'>> = {}): KubeObject<'GRPCRoute'> =>
  build('GRPCRoute', aRoute, said);

/** A policy object that could not be read, in place of a good one; closes its whole namespace unless said. */
export const aRejected = <K extends RejectableKind>(
  kind: K,
  said: Said<RejectedServer & RejectedRoute<HttpMatch | GrpcMatch> & RejectedRateLimit> = {},
): KubeObject<K> =>
  build<RejectableKind>(
    kind,
    {
      rejected: [{ field: 'spec', found: 'nothing a parser could read', fix: 'fix it' }],
      closes: { selector: everything, ports: 'all' },
      ...unreadParts(kind),
    } as never,
    said as never,
  ) as KubeObject<K>;

const unreadParts = (kind: RejectableKind): object => {
  if (kind === 'Server') return unreadServer;
  if (kind === 'HTTPLocalRateLimitPolicy') return unreadLimit;
  return kind.endsWith('Route') ? unreadRoute : {};
};

const unreadLimit = {
  limits: { servers: 'all', applies: 'perhaps', rates: { total: 1, identity: undefined, overrides: [] } },
};
const unreadServer = {
  governs: 'surely',
  closesExternal: { selector: everything, ports: 'all' },
  proxyProtocol: 'unknown',
};
const unreadRoute = { attachedTo: 'all', keeps: [], extent: 'unknown' };

type RejectableKind = { [K in Kind]: Extract<Specs[K], Rejected> extends never ? never : K }[Kind];
