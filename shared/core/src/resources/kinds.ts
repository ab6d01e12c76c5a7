import type { GrpcMatch, HttpMatch } from '../inbound/inbound-server.ts';
import type { LabelSelector, Labels } from '../label-selector.ts';
import type { PortSelector } from '../mesh/named-ports.ts';
import type { Problem } from '../problem.ts';
import type { NetworkAuthenticationPolicySpec } from './kinds/gatehouse.ts';
import type { GrpcRouteSpec, HttpRouteSpec, TcpRouteSpec, TlsRouteSpec } from './kinds/gateway.ts';
import type {
  EndpointSliceSpec,
  NamespaceSpec,
  NodeSpec,
  PodSpec,
  ServiceAccountSpec,
  ServiceSpec,
} from './kinds/kubernetes.ts';
import type {
  AuthorizationPolicySpec,
  EgressNetworkSpec,
  ExternalWorkloadSpec,
  HttpLocalRateLimitPolicySpec,
  MeshTlsAuthenticationSpec,
  NetworkAuthenticationSpec,
  RequestRates,
  ServerAuthorizationSpec,
  ServerSpec,
  ServiceProfileSpec,
} from './kinds/linkerd.ts';

/**
 * The specs that are kept of each watched kind: only what can matter to a decision. parse/<kind>.ts makes them from
 * wire objects. Core kinds parse leniently (an unreadable field costs that field, or is remembered as unread); policy kinds are
 * whole or `Rejected`.
 */
export interface ObjectMeta {
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of policy objects: counted by the API server with each change of the spec; absent where it does not say. */
  readonly generation?: number;
  /** Milliseconds since the epoch; 0 when the object does not say, so that the name decides the order. */
  readonly createdAt: number;
  /** Set while the object is terminating. */
  readonly deletedAt?: number;
  readonly labels: Labels;
  /** Only the annotations that a service reads. */
  readonly annotations: Labels;
  /** What is there and cannot be read, so that nobody can say what it decides (design §15.3); absent = nothing. */
  readonly unreadTexts?: readonly ('labels' | 'annotations')[];
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
  Server: ServerSpec | RejectedServer;
  AuthorizationPolicy: AuthorizationPolicySpec | Rejected;
  MeshTLSAuthentication: MeshTlsAuthenticationSpec | Rejected;
  NetworkAuthentication: NetworkAuthenticationSpec | Rejected;
  /** policy.linkerd.io */
  HTTPRoute: HttpRouteSpec | RejectedRoute<HttpMatch>;
  /** gateway.networking.k8s.io */
  GatewayHTTPRoute: HttpRouteSpec | RejectedRoute<HttpMatch>;
  ServerAuthorization: ServerAuthorizationSpec | Rejected;
  HTTPLocalRateLimitPolicy: HttpLocalRateLimitPolicySpec | RejectedRateLimit;
  EgressNetwork: EgressNetworkSpec | Rejected;
  GRPCRoute: GrpcRouteSpec | RejectedRoute<GrpcMatch>;
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
}

/** A rejected Server keeps its place among the Servers of its namespace. */
export interface RejectedServer extends Rejected {
  /** `perhaps`: nobody can say which pods and ports it meant, so those that it closes may be another Server's. */
  readonly governs: 'surely' | 'perhaps';
  /** What `closes` says of pods, of ExternalWorkloads. */
  readonly closesExternal: Rejected['closes'];
  /** Undefined = nobody can say. */
  readonly proxyProtocol: ServerSpec['proxyProtocol'] | undefined;
}

/** A rejected route stays attached, and grants nothing: what it kept from others stays kept from them (design §15.1). */
export interface RejectedRoute<Match> extends Rejected {
  /** Servers of its own namespace; unreadable parentRefs = perhaps every one of them. */
  readonly attachedTo: readonly string[] | 'all';
  /** Which requests are still known to be its own. */
  readonly keeps: readonly { readonly hosts: readonly string[]; readonly matches: readonly Match[] }[];
  /** Whether those are all, or some of its hosts and matches could not be read. */
  readonly extent: 'known' | 'unknown';
}

/** A rejected limit goes on limiting: what could be read of it stays, and what could not counts as the lowest limit. */
export interface RejectedRateLimit extends Rejected {
  readonly limits: {
    /** Servers of its own namespace; unreadable target = perhaps any of them. */
    readonly servers: readonly string[] | 'all';
    /** `perhaps`: nobody can say whether it is the one that limits them, so that another may be. */
    readonly applies: 'surely' | 'perhaps';
    readonly rates: RequestRates;
  };
}

export const isRejected = (spec: object): spec is Rejected => 'rejected' in spec;
