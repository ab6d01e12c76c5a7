import type { NetworkMatch } from '../../ip-network.ts';
import type { LabelSelector } from '../../label-selector.ts';
import type { IdentityMatch } from '../../mesh/identity-match.ts';
import type { PortSelector } from '../../mesh/named-ports.ts';
import type { PortSet } from '../../port-set.ts';

export interface ServerSpec {
  /** Pods of the Server's namespace; undefined when it selects ExternalWorkloads instead. */
  readonly podSelector: LabelSelector | undefined;
  /** ExternalWorkloads of its namespace, if it selects no pods. */
  readonly externalWorkloadSelector?: LabelSelector;
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

export interface HttpLocalRateLimitPolicySpec extends RequestRates {
  readonly server: string;
}

/** Requests a second, counted by each proxy by itself; undefined = no such limit. */
export interface RequestRates {
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
  /** Set where one of its ports cannot be read, so that nobody can say which ports policies name. */
  readonly unreadPorts?: true;
  readonly ready: boolean;
  /** What made it, if exactly one thing did. */
  readonly owner?: { readonly kind: string; readonly name: string };
}
