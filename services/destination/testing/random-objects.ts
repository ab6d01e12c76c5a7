import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import {
  aNode,
  anEndpointSlice,
  anExternalWorkload,
  aPod,
  aServer,
  aService,
  aServiceProfile,
  labelled,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import type { WatchedKind } from '../src/core/facts.ts';

const ip = fc.constantFrom('10.1.0.1', '10.1.0.2', '10.1.0.3', 'fd00::1', 'fd00::2');
const name = fc.constantFrom('a', 'b', 'c');
const service = fc.constantFrom('a', 'b');
const nodeName = fc.constantFrom('', 'node-1', 'node-2');
const zone = fc.constantFrom('', '', 'x', 'y');
const app = fc.constantFrom('a', 'b').map((value) => ({ app: value }));
/** Mostly the first: a cluster in which nothing is ordinary has few endpoints. */
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const opaquePorts = mostly<Record<string, string>>({}, { 'config.linkerd.io/opaque-ports': 'web' });

const sliceEndpoint: fc.Arbitrary<SliceEndpoint> = fc
  .record({
    addresses: fc.uniqueArray(ip, { minLength: 1, maxLength: 2 }),
    ready: mostly(true, false),
    hostname: fc.constantFrom('', 'h'),
    nodeName,
    zone,
    forZones: fc.constantFrom([], [], ['x'], ['y']),
    forNodes: mostly<readonly string[]>([], ['node-1']),
    kind: fc.constantFrom('Pod', 'Pod', 'Pod', 'ExternalWorkload', 'Node', undefined),
    target: name,
  })
  .map(({ kind, target, ...said }) => ({
    ...said,
    target: kind === undefined ? undefined : { kind, namespace: 'demo', name: target },
  }));

const pod = fc
  .record({
    name,
    meshed: mostly(true, false),
    labels: app,
    annotations: fc.oneof(
      opaquePorts,
      fc.constant<Record<string, string>>({ 'config.linkerd.io/skip-inbound-ports': '8080' }),
    ),
    ips: fc.uniqueArray(ip, { maxLength: 2 }),
    ready: mostly(true, false),
    phase: mostly<'Running' | 'Pending' | 'Failed'>('Running', 'Pending', 'Failed'),
    startedAt: fc.constantFrom(1, 2),
    hostNetwork: mostly(false, true),
    nodeName,
    hostname: fc.constant('h'),
    subdomain: service,
    hostIps: fc.constant(['192.168.0.1']),
    proxyListensOn: fc.constantFrom('IPv4', 'IPv6', 'both', 'unsaid'),
    ports: fc.constantFrom([], [{ name: 'web', port: 8080, hostPort: 8080 }], [{ name: 'web', port: 9090 }]),
  })
  .chain((said) =>
    mostly<{ readonly deletedAt?: number }>({}, { deletedAt: 1 }).map((ending) => ({ ...said, ...ending })),
  );

/**
 * Random objects of each watched kind, from few names and addresses, so that they often meet. A kind without a row here does
 * not compile, so none is left unproved.
 */
export const randomObjects = {
  Pod: pod.map((said) => aPod(said)),
  Service: fc
    .record({
      name: service,
      type: mostly<'ClusterIP' | 'ExternalName'>('ClusterIP', 'ClusterIP', 'ExternalName'),
      annotations: mostly<Record<string, string>>({}, { 'config.linkerd.io/opaque-ports': '80' }),
      selector: fc.option(app, { nil: undefined }),
      clusterIps: fc.constantFrom([], ['10.32.0.1'], ['10.32.0.2', 'fd01::1']),
      ports: mostly<readonly { name: string; port: number; targetPort: string; appProtocol: undefined }[]>(
        [{ name: 'http', port: 80, targetPort: 'web', appProtocol: undefined }],
        [],
      ),
      internalTrafficLocal: mostly(false, true),
      trafficDistribution: fc.constantFrom(undefined, undefined, 'PreferClose', 'PreferSameNode'),
      publishNotReady: mostly(false, true),
    })
    .map((said) => aService(said)),
  EndpointSlice: fc
    .record({
      name,
      service,
      ports: mostly([{ name: 'http', port: 8080 }], [{ name: 'other', port: 8080 }]),
      endpoints: fc.array(sliceEndpoint, { maxLength: 3 }),
    })
    .map((said) => anEndpointSlice(said)),
  ExternalWorkload: fc
    .record({
      name,
      labels: app,
      annotations: opaquePorts,
      ips: fc.uniqueArray(ip, { maxLength: 2 }),
      ready: mostly(true, false),
      identity: mostly('spiffe://elsewhere/vm', ''),
      ports: fc.constantFrom([], [{ name: 'web', port: 8080 }]),
    })
    .map((said) => anExternalWorkload(said)),
  ServiceProfile: fc
    .record({
      namespace: fc.constantFrom('demo', 'client'),
      name: service.map((each) => `${each}.demo.svc.cluster.local`),
      overrides: fc.constantFrom([], [{ authority: 'a.b', weightMilli: 1 }]),
    })
    .map((said) => aServiceProfile(said)),
  Node: fc
    .record({ name: fc.constantFrom('node-1', 'node-2'), zone: fc.constantFrom('', 'x', 'y') })
    .map((said) => aNode(said)),
  Server: fc
    .record({
      name,
      proxyProtocol: fc.constantFrom('unknown', 'opaque', 'HTTP/1'),
      createdAt: fc.constantFrom(1, 2),
      port: fc.constantFrom(
        { kind: 'range' as const, first: 8080, last: 8080 },
        { kind: 'name' as const, name: 'web' },
      ),
      who: fc.record({ kind: mostly<'podSelector' | 'external'>('podSelector', 'external'), labels: app }),
    })
    .map(({ who, ...said }) =>
      aServer({
        ...said,
        ...(who.kind === 'podSelector'
          ? { podSelector: labelled(who.labels) }
          : { podSelector: undefined, externalWorkloadSelector: labelled(who.labels) }),
      }),
    ),
} satisfies { [K in WatchedKind]: fc.Arbitrary<KubeObject> };

export const anyObject: fc.Arbitrary<KubeObject> = fc.oneof(...Object.values(randomObjects));

/** What the objects are asked about: Services by name and address, an instance, pods, a node's port, a machine. */
export const askedPaths = [
  'a.demo.svc.cluster.local:80',
  'b.demo.svc.cluster.local:80',
  'b.demo.svc.cluster.local:81',
  'h.a.demo.svc.cluster.local:80',
  '10.1.0.1:8080',
  '[fd00::1]:8080',
  '10.32.0.1:80',
  '192.168.0.1:8080',
] as const;
