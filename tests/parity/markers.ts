import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { printNetwork } from '@gatehouse/core/ip-network';
import type { Kind } from '@gatehouse/core/resources/kinds';
import type { WireObject } from '@gatehouse/testing/real-cluster';

/**
 * How it is known that a controller has seen all that was written: each kind has a watch of its own, in which nothing
 * overtakes. So after a kind's objects its marker is written with the number of the round, and the number shows in an
 * answer once the controller has it.
 */
export interface Marker {
  /** The object in this round. */
  object(round: number): WireObject;
  /** The port of the marker's pod that shows it, or of its ExternalWorkload. */
  port(round: number): number;
  readonly shownTo?: 'external-workload';
  shows(server: InboundServer, round: number): boolean;
}

export const markerNamespace = 'marker';
/** Of the pod and of the ExternalWorkload. */
export const markerName = 'marker';

const group = 'policy.linkerd.io';
const port = 9100;
const grpcPort = 9200;
const named = (name: string): WireObject => ({ namespace: markerNamespace, name });
const serverRef = { group, kind: 'Server', name: 'marker' };
const route = (round: number): WireObject => ({
  parentRefs: [serverRef],
  rules: [{ matches: [{ path: { type: 'Exact', value: `/round-${round}` } }] }],
});

const isAdmitted = (server: InboundServer, name: string): boolean =>
  JSON.stringify(server, quoted).includes(`"${name}`);
const quoted = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

const hasRoute = (server: InboundServer, routeGroup: string, path: string): boolean =>
  'routes' in server.protocol &&
  server.protocol.routes.some(
    (one) =>
      one.meta.kind === 'resource' &&
      one.meta.resource.group === routeGroup &&
      JSON.stringify(one, quoted).includes(`"${path}"`),
  );

const address = (round: number): string => `10.77.${round >> 8}.${round & 255}/32`;

/** What stands around the markers from the beginning: the pod, the Server, and policies that refer to the others. */
export const markerSetting: readonly WireObject[] = [
  {
    apiVersion: `${group}/v1beta3`,
    kind: 'Server',
    metadata: named('marker'),
    spec: { podSelector: {}, port, accessPolicy: 'deny' },
  },
  {
    apiVersion: `${group}/v1beta3`,
    kind: 'Server',
    metadata: named('grpc-marker'),
    spec: { podSelector: {}, port: grpcPort, proxyProtocol: 'gRPC' },
  },
  ...(['MeshTLSAuthentication', 'NetworkAuthentication'] as const).map((kind) => ({
    apiVersion: `${group}/v1alpha1`,
    kind: 'AuthorizationPolicy',
    metadata: named(kind.toLowerCase()),
    spec: { targetRef: serverRef, requiredAuthenticationRefs: [{ group, kind, name: 'marker' }] },
  })),
];

export const markers: Partial<Readonly<Record<Kind, Marker>>> = {
  Pod: {
    object: (round) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...named(markerName),
        labels: { 'linkerd.io/control-plane-ns': 'gatehouse' },
        annotations: { 'config.linkerd.io/opaque-ports': `${20_000 + round}` },
      },
      spec: { containers: [{ name: 'main', image: 'image' }] },
    }),
    port: (round) => 20_000 + round,
    shows: ({ protocol }) => protocol.kind === 'opaque',
  },
  ExternalWorkload: {
    object: (round) => ({
      apiVersion: 'workload.linkerd.io/v1beta1',
      kind: 'ExternalWorkload',
      metadata: {
        ...named(markerName),
        annotations: { 'config.linkerd.io/opaque-ports': `${20_000 + round}` },
      },
      spec: { meshTLS: { identity: 'marker.example', serverName: 'marker.example' } },
    }),
    port: (round) => 20_000 + round,
    shownTo: 'external-workload',
    shows: ({ protocol }) => protocol.kind === 'opaque',
  },
  Server: {
    object: (round) => ({
      apiVersion: `${group}/v1beta3`,
      kind: 'Server',
      metadata: named('moving'),
      spec: { podSelector: {}, port: 40_000 + round },
    }),
    port: (round) => 40_000 + round,
    shows: ({ meta }) => meta.kind === 'resource' && meta.resource.name === 'moving',
  },
  AuthorizationPolicy: {
    object: (round) => ({
      apiVersion: `${group}/v1alpha1`,
      kind: 'AuthorizationPolicy',
      metadata: named('marker'),
      spec: {
        targetRef: serverRef,
        requiredAuthenticationRefs: [{ group: '', kind: 'ServiceAccount', name: `account-${round}` }],
      },
    }),
    port: () => port,
    shows: (server, round) =>
      isAdmitted(server, `account-${round}.`) || isAdmitted(server, `account-${round}"`),
  },
  ServerAuthorization: {
    object: (round) => ({
      apiVersion: `${group}/v1beta1`,
      kind: 'ServerAuthorization',
      metadata: named('marker'),
      spec: { server: { name: 'marker' }, client: { meshTLS: { identities: [`server-${round}.example`] } } },
    }),
    port: () => port,
    shows: (server, round) => isAdmitted(server, `server-${round}.example`),
  },
  HTTPLocalRateLimitPolicy: {
    object: (round) => ({
      apiVersion: `${group}/v1alpha1`,
      kind: 'HTTPLocalRateLimitPolicy',
      metadata: named('marker'),
      spec: { targetRef: serverRef, total: { requestsPerSecond: round + 1 } },
    }),
    port: () => port,
    shows: ({ protocol }, round) => 'rateLimit' in protocol && protocol.rateLimit?.total === round + 1,
  },
  MeshTLSAuthentication: {
    object: (round) => ({
      apiVersion: `${group}/v1alpha1`,
      kind: 'MeshTLSAuthentication',
      metadata: named('marker'),
      spec: { identities: [`mesh-${round}.example`] },
    }),
    port: () => port,
    shows: (server, round) => isAdmitted(server, `mesh-${round}.example`),
  },
  NetworkAuthentication: {
    object: (round) => ({
      apiVersion: `${group}/v1alpha1`,
      kind: 'NetworkAuthentication',
      metadata: named('marker'),
      spec: { networks: [{ cidr: address(round) }] },
    }),
    port: () => port,
    shows: ({ authorizations }, round) =>
      authorizations.some(({ networks }) => networks.some(({ net }) => printNetwork(net) === address(round))),
  },
  HTTPRoute: {
    object: (round) => ({
      apiVersion: `${group}/v1beta3`,
      kind: 'HTTPRoute',
      metadata: named('marker'),
      spec: route(round),
    }),
    port: () => port,
    shows: (server, round) => hasRoute(server, group, `/round-${round}`),
  },
  GatewayHTTPRoute: {
    object: (round) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: named('marker'),
      spec: route(round),
    }),
    port: () => port,
    shows: (server, round) => hasRoute(server, 'gateway.networking.k8s.io', `/round-${round}`),
  },
  GRPCRoute: {
    object: (round) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GRPCRoute',
      metadata: named('marker'),
      spec: {
        parentRefs: [{ ...serverRef, name: 'grpc-marker' }],
        rules: [{ matches: [{ method: { service: `round.r${round}` } }] }],
      },
    }),
    port: () => grpcPort,
    shows: (server, round) => hasRoute(server, 'gateway.networking.k8s.io', `round.r${round}`),
  },
};
