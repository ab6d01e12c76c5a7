import type { GrpcMatch, HttpFilter, HttpMatch, RequestHeadersFilter } from '../core/inbound-server.ts';
import type { NetworkMatch } from '../core/ip-network.ts';
import type { LabelSelector, Labels } from '../core/label-selector.ts';
import type { PortSet } from '../core/port-set.ts';
import type { Problem } from '../core/problem.ts';

/**
 * The specs that are kept of each watched kind: only what can matter to a decision. parse/<kind>.ts makes them from
 * wire objects. Core kinds parse leniently (an unreadable field costs that field); policy kinds are whole or `Rejected`.
 */
export interface ObjectMeta {
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Milliseconds since the epoch; 0 when the object does not say, so that the name decides the order. */
  readonly createdAt: number;
  /** Set while the object is terminating. */
  readonly deletedAt?: number;
  readonly labels: Labels;
  /** Only the annotations that a service reads. */
  readonly annotations: Labels;
}

export interface KubeObject<K extends Kind = Kind> {
  readonly kind: K;
  readonly meta: ObjectMeta;
  readonly spec: Specs[K];
}

export interface Specs {
  Namespace: NamespaceSpec;
  ServiceAccount: ServiceAccountSpec;
  Pod: PodSpec;
  Service: ServiceSpec;
  EndpointSlice: EndpointSliceSpec;
  Node: NodeSpec;
  NetworkAuthenticationPolicy: NetworkAuthenticationPolicySpec | Rejected;
  Server: ServerSpec | Rejected;
  AuthorizationPolicy: AuthorizationPolicySpec | Rejected;
  MeshTLSAuthentication: MeshTlsAuthenticationSpec | Rejected;
  NetworkAuthentication: NetworkAuthenticationSpec | Rejected;
  /** policy.linkerd.io */
  HTTPRoute: HttpRouteSpec | Rejected;
  /** gateway.networking.k8s.io */
  GatewayHTTPRoute: HttpRouteSpec | Rejected;
  ServerAuthorization: ServerAuthorizationSpec | Rejected;
  HTTPLocalRateLimitPolicy: HttpLocalRateLimitPolicySpec | Rejected;
  EgressNetwork: EgressNetworkSpec | Rejected;
  GRPCRoute: GrpcRouteSpec | Rejected;
  TLSRoute: TlsRouteSpec | Rejected;
  TCPRoute: TcpRouteSpec | Rejected;
  ServiceProfile: ServiceProfileSpec | Rejected;
  ExternalWorkload: ExternalWorkloadSpec;
}

export type Kind = keyof Specs;

/** What is remembered of a policy object that could not be read, in place of its old spec (design §6.2). */
export interface Rejected {
  readonly rejected: readonly Problem[];
  /** What the object closes to base deny: what its selector and ports still name; unreadable = all of its namespace, all ports. */
  readonly closes: { readonly selector: LabelSelector; readonly ports: readonly PortSelector[] | 'all' };
  /** For routes: the Servers it stays attached to, without rules; unreadable parentRefs = every Server of its namespace. */
  readonly attachedTo?: readonly string[] | 'all';
}

export const isRejected = (spec: object): spec is Rejected => 'rejected' in spec;

export type NamespaceSpec = Readonly<Record<never, never>>;
export type ServiceAccountSpec = Readonly<Record<never, never>>;

export interface PodSpec {
  readonly serviceAccount: string;
  readonly nodeName: string;
  /** All of status.podIPs, IPv4 and IPv6. */
  readonly ips: readonly string[];
  /** The node's addresses as the pod's status has them (for hostPort look-ups). */
  readonly hostIps: readonly string[];
  readonly hostNetwork: boolean;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly ready: boolean;
  /** Every container has ended: nothing of this pod runs at its addresses any more. */
  readonly terminated: boolean;
  /** TCP ports of containers and initContainers. One name may stand for several numbers. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly hostPort?: number }[];
  readonly probes: readonly Probe[];
  /** Deployment (ReplicaSets folded), StatefulSet, DaemonSet, Job …; absent for a bare pod. */
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly hostname: string;
  readonly subdomain: string;
  /** The proxy's inbound port as its container's environment says; 4143 when it says nothing. */
  readonly proxyInboundPort: number;
}

/** A kubelet probe over plain HTTP or gRPC; other probes open nothing. `path` without query. */
export type Probe =
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  | { readonly kind: 'grpc'; readonly port: number };

export interface ServiceSpec {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** Empty for headless Services and ExternalName. */
  readonly clusterIps: readonly string[];
  /** Undefined without a selector: endpoints then come from EndpointSlices alone. */
  readonly selector: Labels | undefined;
  readonly ports: readonly ServicePort[];
  readonly internalTrafficLocal: boolean;
  readonly trafficDistribution: 'PreferClose' | 'PreferSameZone' | 'PreferSameNode' | undefined;
  readonly publishNotReady: boolean;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly appProtocol: string | undefined;
}

export interface EndpointSliceSpec {
  /** Label kubernetes.io/service-name. */
  readonly service: string;
  readonly family: 4 | 6;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly hostname: string;
  readonly nodeName: string;
  readonly zone: string;
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
  readonly target: { readonly kind: string; readonly namespace: string; readonly name: string } | undefined;
}

export interface NodeSpec {
  readonly zone: string;
  readonly ips: readonly string[];
}

/** A port by number, inclusive range, or container-port name. */
export type PortSelector =
  | { readonly kind: 'range'; readonly first: number; readonly last: number }
  | { readonly kind: 'name'; readonly name: string };

export interface NetworkAuthenticationPolicySpec {
  readonly target: LabelSelector;
  /** 'all' = every port but the proxy's own 4143, 4190, 4191. */
  readonly ports: readonly PortSelector[] | 'all';
  readonly sources: readonly PolicySource[];
  /** Undefined = every request and raw TCP; [] admits none. */
  readonly rules: readonly PolicyRule[] | undefined;
  readonly allowUnnormalizedPaths: boolean;
  readonly mode: 'Enforce' | 'Audit';
}

/** All given parts must hold; at least one is given. */
export interface PolicySource {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly serviceAccounts?: readonly { readonly name: string; readonly namespace: string }[];
  readonly identities?: readonly IdentityMatch[];
  readonly networks?: readonly NetworkMatch[];
}

/** `*` is the suffix []; `*.a.b` the suffix ['a','b']; anything else is exact (SPIFFE ids too). */
export type IdentityMatch =
  | { readonly kind: 'exact'; readonly name: string }
  | { readonly kind: 'suffix'; readonly parts: readonly string[] };

/** Parts are ANDed, values of a list ORed, headers ANDed; an absent part matches all. */
export interface PolicyRule {
  readonly methods?: readonly string[];
  readonly paths?: readonly { readonly kind: 'exact' | 'prefix'; readonly value: string }[];
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

export interface ServerSpec {
  /** Pods of the Server's namespace; undefined when it selects ExternalWorkloads instead. */
  readonly podSelector: LabelSelector | undefined;
  readonly port: PortSelector;
  readonly proxyProtocol: 'unknown' | 'HTTP/1' | 'HTTP/2' | 'gRPC' | 'opaque' | 'TLS';
  readonly accessPolicy: DefaultPolicy;
}

export const defaultPolicies = [
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
  'deny',
  'audit',
] as const;
export type DefaultPolicy = (typeof defaultPolicies)[number];

export interface AuthorizationPolicySpec {
  readonly target:
    | { readonly kind: 'Namespace' }
    | { readonly kind: 'Server' | 'HTTPRoute' | 'GatewayHTTPRoute' | 'GRPCRoute'; readonly name: string };
  /** Empty = everybody, as Linkerd has it. At most one identity source and one NetworkAuthentication. */
  readonly authentications: readonly {
    readonly kind: 'MeshTLSAuthentication' | 'NetworkAuthentication' | 'ServiceAccount';
    readonly namespace: string;
    readonly name: string;
  }[];
}

export interface MeshTlsAuthenticationSpec {
  readonly identities: readonly IdentityMatch[];
  readonly identityRefs: readonly (
    | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }
    | { readonly kind: 'Namespace'; readonly name: string }
  )[];
}

export interface NetworkAuthenticationSpec {
  readonly networks: readonly NetworkMatch[];
}

export interface HttpRouteSpec {
  /** Servers of the route's own namespace that it is attached to (parentRefs without port and sectionName). */
  readonly servers: readonly string[];
  /** Services it is attached to, for outbound policy. */
  readonly services: readonly ServiceParent[];
  readonly hosts: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly HttpMatch[];
    readonly filters: readonly HttpFilter[];
  }[];
}

export interface GrpcRouteSpec {
  /** As those of an HTTPRoute. */
  readonly servers: readonly string[];
  readonly services: readonly ServiceParent[];
  readonly hosts: readonly string[];
  readonly rules: readonly {
    readonly matches: readonly GrpcMatch[];
    readonly filters: readonly RequestHeadersFilter[];
  }[];
}

export interface ServiceParent {
  readonly namespace: string;
  readonly name: string;
  /** Undefined = every port of the Service. */
  readonly port?: number;
}

/** Where raw connections go; attached to Services and EgressNetworks, never to Servers. */
export interface TcpRouteSpec {
  readonly services: readonly ServiceParent[];
  readonly egressNetworks: readonly Required<ServiceParent>[];
  readonly backends: readonly RouteBackend[];
}

export interface TlsRouteSpec extends TcpRouteSpec {
  /** Names in the ClientHello (SNI); empty = any. */
  readonly hosts: readonly string[];
}

export interface RouteBackend {
  /** `other` is a kind that nothing can be sent to: its share of the connections fails. */
  readonly kind: 'Service' | 'EgressNetwork' | 'other';
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly weight: number;
}

export interface ServerAuthorizationSpec {
  /** Servers of its own namespace. */
  readonly server:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'labels'; readonly selector: LabelSelector };
  /** Undefined = the networks of the cluster: unlike AuthorizationPolicy, not all networks (semantics §2.6). */
  readonly networks: readonly NetworkMatch[] | undefined;
  readonly clients:
    | { readonly kind: 'unauthenticated' }
    /** TLS without a client certificate suffices. */
    | { readonly kind: 'tls' }
    | {
        readonly kind: 'identities';
        readonly identities: readonly IdentityMatch[];
        readonly serviceAccounts: readonly { readonly name: string; readonly namespace: string }[];
      };
}

/** Requests a second, counted by each proxy by itself; undefined = no such limit. */
export interface HttpLocalRateLimitPolicySpec {
  readonly server: string;
  readonly total: number | undefined;
  readonly identity: number | undefined;
  readonly overrides: readonly {
    readonly requestsPerSecond: number;
    readonly serviceAccounts: readonly { readonly name: string; readonly namespace: string }[];
  }[];
}

export interface EgressNetworkSpec {
  /** What becomes of traffic that no attached route describes. */
  readonly trafficPolicy: 'Allow' | 'Deny';
  /** Undefined = all that is outside the networks of the cluster. */
  readonly networks: readonly NetworkMatch[] | undefined;
}

export interface ServiceProfileSpec {
  readonly routes: readonly ProfileRoute[];
  readonly retryBudget: ProfileRetryBudget | undefined;
  readonly overrides: readonly { readonly authority: string; readonly weightMilli: number }[];
  readonly opaquePorts: PortSet | undefined;
}

export interface ProfileRoute {
  readonly name: string;
  readonly requests: RequestCondition;
  readonly isRetryable: boolean;
  /** Milliseconds; undefined = as long as it takes. */
  readonly timeoutMs: number | undefined;
  /** The first that holds decides. */
  readonly responses: readonly { readonly condition: ResponseCondition; readonly isFailure: boolean }[];
}

export interface ProfileRetryBudget {
  readonly ratio: number;
  readonly minPerSecond: number;
  readonly ttlMs: number;
}

/** A leaf, or leaves combined to any depth. */
export type Condition<Leaf> =
  | Leaf
  | { readonly kind: 'all' | 'any'; readonly conditions: readonly Condition<Leaf>[] }
  | { readonly kind: 'not'; readonly condition: Condition<Leaf> };

export type RequestCondition = Condition<
  /** `value` of a path is a regular expression for all of it. */
  { readonly kind: 'method' | 'path'; readonly value: string }
>;

/** Inclusive HTTP statuses. */
export type ResponseCondition = Condition<{
  readonly kind: 'status';
  readonly min: number;
  readonly max: number;
}>;

export interface ExternalWorkloadSpec {
  /** What its certificate proves, and the name that it ends TLS for; '' when it cannot be read, so that nobody can be it. */
  readonly identity: string;
  readonly serverName: string;
  readonly ips: readonly string[];
  /** TCP ports. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly ready: boolean;
}
