import type {
  Authentication,
  Authorization,
  InboundServer,
  Meta,
} from '@gatehouse/core/inbound/inbound-server';
import type { RegexMatcher } from '@gatehouse/core/inbound/match-request';
import type { NetworkMatch } from '@gatehouse/core/ip-network';
import type { Labels } from '@gatehouse/core/label-selector';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { PortSet } from '@gatehouse/core/port-set';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';

import type { RouteObject } from './attached-routes.ts';
import type { ContestedAddress } from './policy-view.ts';
import type { RowBudgets } from './row-budgets.ts';

/**
 * Everything that decides one port of one class of workloads. The service gathers it from the index; `compilePort`
 * turns it into a row without looking at anything else, so that equal inputs give equal rows.
 */
export interface PortInput {
  readonly port: number;
  readonly workload: Workload;
  /** The annotations of the workload's Namespace as they are now; empty when it is not known. */
  readonly namespaceAnnotations: Labels;
  readonly cluster: ClusterConfig;
  /** The policy objects of the workload's namespace; those that do not concern this port may be left out. */
  readonly policies: NamespacePolicies;
  readonly authentications: Authentications;
  /** Whether a manifest was never read that may be about this namespace (design §5.1, §15.4): the base is then deny. */
  readonly unreadableManifests: 'none' | 'some';
  /** The proxy's regular expressions: `matchesWhole` of shared/proxy-regex. */
  readonly matchesRegex: RegexMatcher;
}

/** What matters of a meshed pod that is called; all pods that agree in it share their rows. */
export interface Workload {
  /** Absent = pods. */
  readonly kind?: 'external-workload';
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly hostNetwork: boolean;
  readonly ports: PodSpec['ports'];
  readonly probes: PodSpec['probes'];
  readonly proxyPorts: PodSpec['proxyPorts'];
  /** How many more it has, which nothing keeps open: they are over its budget. */
  readonly shutProbes?: number;
  readonly unopened?: PodSpec['unopened'];
  /** What of it cannot be read, so that nobody can say which policies are for it: nothing is granted; absent = nothing. */
  readonly unread?: readonly string[];
}

export interface ClusterConfig {
  readonly mesh: Mesh;
  readonly defaultPolicy: DefaultPolicy;
  /** What `cluster-unauthenticated` and `cluster-authenticated` admit. */
  readonly clusterNetworks: readonly NetworkMatch[];
  /** Where kubelet probes come from; empty = probes are opened to nobody. */
  readonly probeNetworks: readonly NetworkMatch[];
  /** The ports that are opaque where no annotation speaks; clients are told by the same list. */
  readonly defaultOpaquePorts: PortSet;
  /** How long the proxy waits for a connection to look like HTTP; 10,000 ms. */
  readonly detectTimeoutMs: number;
  readonly rowBudgets: RowBudgets;
}

export interface NamespacePolicies {
  readonly servers: readonly KubeObject<'Server'>[];
  readonly networkAuthenticationPolicies: readonly ResolvedPolicy[];
  readonly authorizationPolicies: readonly KubeObject<'AuthorizationPolicy'>[];
  readonly serverAuthorizations: readonly KubeObject<'ServerAuthorization'>[];
  readonly routes: readonly RouteObject[];
  readonly rateLimits: readonly KubeObject<'HTTPLocalRateLimitPolicy'>[];
}

/**
 * A NetworkAuthenticationPolicy with what each of its sources stands for now, in order; none for a rejected one. They are
 * looked at only if the row has room for what they admit, so that a getter may find them out.
 */
export interface ResolvedPolicy {
  readonly object: KubeObject<'NetworkAuthenticationPolicy'>;
  readonly sources: readonly ResolvedSource[];
}

/** Who a source admits, and whom it selects without being able to admit them. */
export interface ResolvedSource {
  /** Empty when it admits nobody. */
  readonly grants: readonly Grant[];
  /** For sources with selectors: how many pods they select. */
  readonly selectedPods: number;
  /** Selected pods that have no address of their own to admit, as `namespace/name`, sorted. */
  readonly unmeshedPods: readonly string[];
  readonly hostNetworkPods: readonly string[];
  /** Addresses of selected pods by which they are not admitted, since other pods have them too; by pod, then address. */
  readonly contestedAddresses: readonly PodContest[];
}

/** `pod` is `namespace/name`. */
export interface PodContest extends ContestedAddress {
  readonly pod: string;
}

/** A client in one of `networks` (never empty) with that authentication. */
export interface Grant {
  readonly networks: readonly NetworkMatch[];
  readonly authentication: Authentication;
}

export const grantsOf = (sources: readonly ResolvedSource[]): readonly Grant[] =>
  sources.flatMap(({ grants }) => grants);

/** What AuthorizationPolicies may refer to in any namespace, by `namespace/name`. */
export interface Authentications {
  readonly meshTls: Pick<ReadonlyMap<string, KubeObject<'MeshTLSAuthentication'>>, 'get'>;
  readonly network: Pick<ReadonlyMap<string, KubeObject<'NetworkAuthentication'>>, 'get'>;
}

/** A row: what the proxies of a class are told of one port, and why. Frozen, replaced whole. */
export interface CompiledPort {
  readonly server: InboundServer;
  readonly governedBy: GovernedBy;
  /** What it cost to compile, in the measure of Steps. */
  readonly steps: number;
  /** What every object that concerns the port does to it, in the order in which it counts. */
  readonly contributions: readonly Contribution[];
  /** What its authors should know; the statuses, `check` and explain show them. */
  readonly findings: readonly Finding[];
  /** Undefined where no Audit policy selects the port. */
  readonly audit: Audit | undefined;
}

/** What the proxy of a port does about its Audit policies. */
export interface Audit {
  /** Those that select the port, oldest first. */
  readonly policies: readonly ObjectRef[];
  readonly counting: Counting;
}

/** Whether the proxy counts what enforcing all Audit policies of a port would refuse. */
export type Counting =
  | {
      /** `upper-bound`: some have `rules`, and what only these would admit is counted as refused too. */
      readonly kind: 'exact' | 'upper-bound';
      /** Under which labels. */
      readonly refused: Meta;
      /** Who is admitted, without the labels for counting. */
      readonly grants: readonly Authorization[];
    }
  | {
      readonly kind: 'none';
      /** A Server governs the port; or its base policy admits nobody; or the row has no room for it. */
      readonly why: 'server' | 'closed' | 'too-many-steps';
    };

/** What decides the protocol and the base policy of a port (design §6.2). */
export type GovernedBy =
  | { readonly kind: 'server'; readonly server: ObjectRef; readonly base: DefaultPolicy }
  | { readonly kind: 'network-authentication-policies'; readonly policies: readonly ObjectRef[] }
  | {
      readonly kind: 'default-policy';
      readonly base: DefaultPolicy;
      /** Whose annotation or setting says so. */
      readonly from: 'pod' | 'namespace' | 'cluster';
    }
  /** Nobody can say what would be in force, so nothing is open that is not granted. */
  | { readonly kind: 'unreadable-manifest' | 'unreadable-pod' };

export interface ObjectRef {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

export interface Contribution {
  readonly object: ObjectRef;
  readonly effect: Effect;
}

export type Effect =
  /** Decides protocol and base policy. */
  | { readonly kind: 'governs' }
  /** Makes deny the base: an Enforce NetworkAuthenticationPolicy, or something rejected that still names the port. */
  | { readonly kind: 'closes' }
  /** Admits clients at every request and to raw TCP. */
  | { readonly kind: 'grants'; readonly grants: readonly Grant[] }
  /** Admits clients at some HTTP requests only. */
  | { readonly kind: 'grants-requests'; readonly grants: readonly Grant[] }
  /** Says which requests have a route. */
  | { readonly kind: 'routes' }
  /** Says how many requests pass. */
  | { readonly kind: 'limits' };

/** Something true of an object on this port that its author may not expect; `message` is a full sentence. */
export interface Finding {
  readonly reason: FindingReason;
  /** The object, or the annotation's owner, or the workload whose probe it is. */
  readonly about: ObjectRef | { readonly kind: 'workload' };
  readonly message: string;
}

export const findingReasons = [
  /** It selects the port but no proxy enforces it: hostNetwork, or the port is in skip-inbound-ports. */
  'Unenforced',
  /** A Server's accessPolicy admits more than the policy does. */
  'OpenedByServer',
  /** Routes are attached to the Server, so `rules` grant nothing here. */
  'RoutesAttached',
  /** The port is opaque or TLS, so `rules` grant nothing here. */
  'RulesNeedHTTP',
  /** The route is of another protocol than the port, so it routes nothing there, and what is granted on it is granted to nobody. */
  'RouteNeedsProtocol',
  /** A gRPC Server cannot express this path or method of a rule. */
  'RuleNeverMatches',
  /** The port has no room for its rules or matches beside those of older objects. */
  'TooManyMatches',
  /** To compile it would cost more steps than a row may take, so it grants nothing here. */
  'TooManySteps',
  /** An older Server governs the port. */
  'Overlapped',
  /** It could not be read: it grants nothing, and what it still names is closed. */
  'Rejected',
  /** The Server or route that the AuthorizationPolicy is for could not be read, so it grants nothing there. */
  'TargetRejected',
  /** Something could not be read that may have kept others from what it grants, so it grants nothing here. */
  'InDoubt',
  /** A reference of the AuthorizationPolicy leads nowhere, so it grants nothing. */
  'MissingAuthentication',
  /** A ServerAuthorization without networks means those of the cluster, and none are configured. */
  'NoNetworks',
  /** An annotation could not be read; deny is in force. */
  'UnreadableDefault',
  /** An item of a list of ports could not be read, so the port that its author meant is not on the list. */
  'UnreadablePorts',
  /** The port is gRPC, opaque or TLS, where proxies limit nothing. */
  'LimitNeedsHTTP',
  /** An older HTTPLocalRateLimitPolicy limits the Server. */
  'LimitOverlapped',
  /** A pod that it selects is not admitted by an address that other pods have too. */
  'AddressShared',
  /** A kubelet probe that nothing keeps open here. */
  'ProbeNotOpened',
  /** A lifecycle hook that kubelet calls here, which nothing keeps open. */
  'HookNotOpened',
] as const;
export type FindingReason = (typeof findingReasons)[number];

export const refOf = ({ kind, meta }: KubeObject): ObjectRef => ({
  kind,
  namespace: meta.namespace,
  name: meta.name,
});
