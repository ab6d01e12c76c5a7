import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { maybe, usually } from '../random-parts.ts';

export const here = 'demo';
/** Where clients are that have ServiceProfiles of their own. */
export const client = 'other';

/** The zones of the nodes, which are there from the beginning. */
export const nodes = { 'node-1': 'x', 'node-2': 'y' } as const;

/** In place of a field's value: not this time. */
type Rare<T> = T | undefined;

interface PodPlan {
  readonly app: 'a' | 'b';
  readonly mesh: 'gatehouse' | 'linkerd' | '';
  readonly opaque: Rare<string>;
  readonly skip: Rare<string>;
  readonly port: 8080 | 9090;
  readonly hostPort: Rare<number>;
  readonly node: keyof typeof nodes;
  readonly inbound: 4143 | 5143;
  readonly admin: 4191 | 5191;
  readonly dual: boolean;
  readonly owner: Rare<'StatefulSet' | 'Job' | 'DaemonSet'>;
  readonly account: 'default' | 'web';
  readonly ready: boolean;
}

export interface ServicePlan {
  readonly headless: boolean;
  readonly dual: boolean;
  readonly opaque: Rare<string>;
  readonly local: boolean;
  readonly targetPort: 'web' | 8080;
  readonly hints: boolean;
  readonly hostnames: boolean;
  /** An address that is no pod's. */
  readonly bare: boolean;
  readonly external: boolean;
}

export interface ClusterPlan {
  readonly pods: readonly (PodPlan | undefined)[];
  readonly services: readonly (ServicePlan | undefined)[];
  readonly server: Rare<{ readonly app: 'a' | 'b' | 'vm'; readonly protocol: 'opaque' | 'unknown' }>;
  readonly external: Rare<{ readonly opaque: Rare<string>; readonly proxyPort: boolean }>;
  readonly profiles: readonly (ProfilePlan | undefined)[];
}

interface ProfilePlan {
  readonly of: 'a' | 'b';
  readonly namespace: typeof here | typeof client;
  readonly route: boolean;
  readonly budget: boolean;
  readonly override: boolean;
}

const pod: fc.Arbitrary<PodPlan> = fc.record({
  app: fc.constantFrom('a', 'a', 'b'),
  mesh: fc.constantFrom('gatehouse', 'gatehouse', 'gatehouse', 'linkerd', ''),
  opaque: usually(fc.constant(undefined), fc.constantFrom('8080', '', 'web', '8000-9000', '1,x,8080')),
  skip: usually(fc.constant(undefined), fc.constantFrom('8080', '8000-8100')),
  port: fc.constantFrom(8080, 8080, 9090),
  hostPort: usually(fc.constant(undefined), fc.constant(30_080)),
  node: fc.constantFrom('node-1', 'node-2'),
  inbound: usually(fc.constant(4143), fc.constant(5143)),
  admin: usually(fc.constant(4191), fc.constant(5191)),
  dual: fc.boolean(),
  owner: maybe(fc.constantFrom('StatefulSet', 'Job', 'DaemonSet')),
  account: fc.constantFrom('default', 'web'),
  ready: usually(fc.constant(true), fc.constant(false)),
}) as fc.Arbitrary<PodPlan>;

const service: fc.Arbitrary<ServicePlan> = fc.record({
  headless: fc.constantFrom(false, false, true),
  dual: fc.boolean(),
  opaque: usually(fc.constant(undefined), fc.constantFrom('80', '', 'http', '3306')),
  local: usually(fc.constant(false), fc.constant(true)),
  targetPort: fc.constantFrom('web', 8080),
  hints: fc.boolean(),
  hostnames: fc.boolean(),
  bare: usually(fc.constant(false), fc.constant(true)),
  external: fc.boolean(),
}) as fc.Arbitrary<ServicePlan>;

const profile: fc.Arbitrary<ProfilePlan> = fc.record({
  of: fc.constantFrom('a', 'b'),
  namespace: fc.constantFrom(here, client),
  route: fc.boolean(),
  budget: fc.boolean(),
  override: fc.boolean(),
}) as fc.Arbitrary<ProfilePlan>;

export const clusterPlan: fc.Arbitrary<ClusterPlan> = fc.record({
  pods: fc.tuple(pod, maybe(pod), maybe(pod)),
  services: fc.tuple(usually(service, fc.constant(undefined) as never), maybe(service)),
  server: maybe(
    fc.record({ app: fc.constantFrom('a', 'b', 'vm'), protocol: fc.constantFrom('opaque', 'unknown') }),
  ),
  external: maybe(fc.record({ opaque: maybe(fc.constantFrom('8080', 'web')), proxyPort: fc.boolean() })),
  profiles: fc.tuple(maybe(profile), maybe(profile)),
}) as fc.Arbitrary<ClusterPlan>;

export const podName = (index: number): string => `pod-${index}`;
export const v4 = (index: number): string => `10.1.0.${index + 1}`;
export const v6 = (index: number): string => `fd00::${index + 1}`;
export const hostIp = { 'node-1': '192.168.0.1', 'node-2': '192.168.0.2' } as const;
export const serviceNames = ['a', 'b'] as const;
export const externalIp = '172.16.0.9';
export const clusterIp = (index: number): string => `10.96.7.${index + 1}`;

const metadata = (name: string, more: WireObject = {}, namespace: string = here): WireObject => ({
  namespace,
  name,
  ...more,
});
const annotated = (name: string, value: Rare<string>): WireObject =>
  value === undefined ? {} : { [`config.linkerd.io/${name}`]: value };

const podObject = (plan: PodPlan, index: number): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(podName(index), {
    labels: { app: plan.app, ...(plan.mesh === '' ? {} : { 'linkerd.io/control-plane-ns': plan.mesh }) },
    annotations: { ...annotated('opaque-ports', plan.opaque), ...annotated('skip-inbound-ports', plan.skip) },
    ...(plan.owner === undefined
      ? {}
      : {
          ownerReferences: [
            {
              apiVersion: plan.owner === 'Job' ? 'batch/v1' : 'apps/v1',
              kind: plan.owner,
              name: 'owner',
              uid: `owner-${plan.owner}`,
              controller: true,
            },
          ],
        }),
  }),
  spec: {
    nodeName: plan.node,
    serviceAccountName: plan.account,
    containers: [
      {
        name: 'main',
        image: 'image',
        ports: [
          {
            name: 'web',
            containerPort: plan.port,
            // Two pods with one port of a node would be contested.
            ...(plan.hostPort === undefined || index > 0 ? {} : { hostPort: plan.hostPort }),
          },
          { name: 'db', containerPort: 3306 },
        ],
      },
      {
        name: 'linkerd-proxy',
        image: 'image',
        env: [
          { name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value: `0.0.0.0:${plan.inbound}` },
          { name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR', value: `0.0.0.0:${plan.admin}` },
          { name: 'LINKERD2_PROXY_CONTROL_LISTEN_ADDR', value: '0.0.0.0:4190' },
        ],
      },
    ],
  },
});

/**
 * The Job of the pods that have one. Without it Linkerd asks the API server for it at each profile of such a pod, five times a
 * second at most, and lets all profiles wait meanwhile.
 */
export const owningJob: WireObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: metadata('owner'),
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'image' }] } },
  },
};

const podStatus = (plan: PodPlan, index: number): WireObject => ({
  phase: 'Running',
  startTime: '2026-01-01T00:00:00Z',
  podIP: v4(index),
  podIPs: [{ ip: v4(index) }, ...(plan.dual ? [{ ip: v6(index) }] : [])],
  hostIP: hostIp[plan.node],
  hostIPs: [{ ip: hostIp[plan.node] }],
  conditions: [{ type: 'Ready', status: plan.ready ? 'True' : 'False' }],
});

const serviceObject = (plan: ServicePlan, index: number): WireObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(serviceNames[index] ?? '', { annotations: annotated('opaque-ports', plan.opaque) }),
  spec: {
    clusterIP: plan.headless ? 'None' : clusterIp(index),
    selector: { app: serviceNames[index] },
    internalTrafficPolicy: plan.local ? 'Local' : 'Cluster',
    ports: [
      { name: 'http', port: 80, targetPort: plan.targetPort },
      { name: 'db', port: 3306, targetPort: 'db' },
    ],
  },
});

/** As the controllers of Kubernetes and of ExternalWorkloads would write them. */
const sliceObjects = (
  plan: ServicePlan,
  index: number,
  { pods, external }: ClusterPlan,
): readonly WireObject[] => {
  const name = serviceNames[index] ?? '';
  const selected = pods.flatMap((each, at) => (each?.app === name ? [{ plan: each, at }] : []));
  const slice = (
    suffix: string,
    family: 'IPv4' | 'IPv6',
    port: number,
    endpoints: readonly WireObject[],
  ) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(`${name}-${suffix}`, { labels: { 'kubernetes.io/service-name': name } }),
    addressType: family,
    ports: [
      { name: 'http', port, protocol: 'TCP' },
      { name: 'db', port: 3306, protocol: 'TCP' },
    ],
    endpoints,
  });
  const endpoint = (each: PodPlan, at: number, address: string): WireObject => ({
    addresses: [address],
    conditions: { ready: each.ready },
    nodeName: each.node,
    zone: nodes[each.node],
    ...(plan.hints ? { hints: { forZones: [{ name: nodes[each.node] }] } } : {}),
    ...(plan.hostnames ? { hostname: podName(at) } : {}),
    targetRef: { kind: 'Pod', namespace: here, name: podName(at) },
  });
  // Pods that name the port differently are in slices of their own.
  const byPort = [8080, 9090].flatMap((port) => {
    const serving = selected.filter((each) => plan.targetPort === 8080 || each.plan.port === port);
    const wanted = plan.targetPort === 8080 && port === 9090 ? [] : serving;
    if (wanted.length === 0) return [];
    return [
      slice(
        `v4-${port}`,
        'IPv4',
        port,
        wanted.map((each) => endpoint(each.plan, each.at, v4(each.at))),
      ),
      ...(plan.dual
        ? [
            slice(
              `v6-${port}`,
              'IPv6',
              port,
              wanted
                .filter((each) => each.plan.dual)
                .map((each) => endpoint(each.plan, each.at, v6(each.at))),
            ),
          ]
        : []),
    ];
  });
  const bare = plan.bare ? [slice('bare', 'IPv4', 8080, [{ addresses: ['172.16.0.1'] }])] : [];
  const targetRef = { kind: 'ExternalWorkload', namespace: here, name: 'vm' };
  const vm =
    plan.external && external !== undefined
      ? [slice('vm', 'IPv4', 8080, [{ addresses: [externalIp], conditions: { ready: true }, targetRef }])]
      : [];
  return [...byPort, ...bare, ...vm];
};

const serverObject = ({ app, protocol }: NonNullable<ClusterPlan['server']>): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1beta3',
  kind: 'Server',
  metadata: metadata('server'),
  spec: {
    [app === 'vm' ? 'externalWorkloadSelector' : 'podSelector']: { matchLabels: { app } },
    port: 8080,
    proxyProtocol: protocol,
  },
});

const externalObject = ({ opaque, proxyPort }: NonNullable<ClusterPlan['external']>): WireObject => ({
  apiVersion: 'workload.linkerd.io/v1beta1',
  kind: 'ExternalWorkload',
  metadata: metadata('vm', { labels: { app: 'vm' }, annotations: annotated('opaque-ports', opaque) }),
  spec: {
    meshTLS: { identity: 'spiffe://elsewhere/vm', serverName: 'vm.elsewhere.example' },
    workloadIPs: [{ ip: externalIp }],
    ports: [{ name: 'web', port: 8080 }, ...(proxyPort ? [{ name: 'linkerd-proxy', port: 14_143 }] : [])],
  },
});

const profileObject = ({ of, namespace, route, budget, override }: ProfilePlan): WireObject => ({
  apiVersion: 'linkerd.io/v1alpha2',
  kind: 'ServiceProfile',
  metadata: metadata(`${of}.${here}.svc.cluster.local`, {}, namespace),
  spec: {
    routes: route
      ? [
          {
            name: 'GET /a',
            condition: {
              method: 'GET',
              pathRegex: '/a/.*',
              not: { any: [{ method: 'PUT' }, { pathRegex: '/b' }] },
            },
            isRetryable: true,
            timeout: '1500ms',
            responseClasses: [{ condition: { status: { min: 500, max: 599 } }, isFailure: true }],
          },
        ]
      : [],
    ...(budget ? { retryBudget: { retryRatio: 0.5, minRetriesPerSecond: 3, ttl: '30s' } } : {}),
    ...(override
      ? {
          dstOverrides: [
            { authority: `b.${here}.svc.cluster.local`, weight: '500m' },
            { authority: `a.${here}.svc.cluster.local:8080`, weight: '1' },
          ],
        }
      : {}),
  },
});

/** The objects of a plan; of pods with the status that kubelet would write. */
export const objectsOf = (plan: ClusterPlan): readonly WireObject[] => [
  ...plan.pods.flatMap((each, index) =>
    each === undefined ? [] : [{ ...podObject(each, index), status: podStatus(each, index) }],
  ),
  ...plan.services.flatMap((each, index) =>
    each === undefined ? [] : [serviceObject(each, index), ...sliceObjects(each, index, plan)],
  ),
  ...(plan.server === undefined ? [] : [serverObject(plan.server)]),
  ...(plan.external === undefined ? [] : [externalObject(plan.external)]),
  ...plan.profiles.flatMap((each) => (each === undefined ? [] : [profileObject(each)])),
];
