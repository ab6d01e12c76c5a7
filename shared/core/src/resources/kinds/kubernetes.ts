import type { Labels } from '../../label-selector.ts';
import type { ProxyPorts } from '../../mesh/proxy-ports.ts';

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
  /** What is there and cannot be read, so that nobody can say what it decides (mesh/unread-pod.ts); absent = nothing. */
  readonly unread?: readonly UnreadPart[];
  /** When its kubelet took it up (status.startTime), in milliseconds since the epoch; absent = not known. */
  readonly startedAt?: number;
  /** Every container has ended: nothing of this pod runs at its addresses any more. */
  readonly terminated: boolean;
  /** TCP ports of containers and initContainers. One name may stand for several numbers. */
  readonly ports: readonly ContainerPort[];
  readonly probes: readonly Probe[];
  /** How many probes are over what a pod may have of them, or of their paths (design §15.5): nothing keeps them open. */
  readonly shutProbes?: number;
  /** Requests of kubelet that nothing keeps open, for findings; absent when there are none. */
  readonly unopened?: readonly UnopenedRequest[];
  /** Deployment (ReplicaSets folded), StatefulSet, DaemonSet, Job …; absent for a bare pod. */
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly hostname: string;
  readonly subdomain: string;
  /** As the environment of the proxy's container says, else the usual ones. */
  readonly proxyPorts: ProxyPorts;
  /** The addresses on which it takes connections, by the variable for its inbound port; `unsaid` where that says nothing. */
  readonly proxyListensOn: 'IPv4' | 'IPv6' | 'both' | 'unsaid';
}

export type UnreadPart =
  | 'serviceAccountName'
  | 'hostNetwork'
  /** Whether it has ended: its phase, or the state of its containers. */
  | 'phase'
  | 'ports';

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly hostPort?: number;
  /** Of an init container that ends before the pod serves anybody: no Service's traffic is for it. */
  readonly init?: true;
}

/** A kubelet probe over plain HTTP or gRPC; other probes open nothing. `path` without query. */
export type Probe =
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  | { readonly kind: 'grpc'; readonly port: number };

/**
 * A GET of kubelet that is denied unless a policy admits it. Of an HTTPS probe the proxy sees no request that could be told
 * from others; a lifecycle hook has effects (`/drain`), which a probe has not, and must not be open to everybody.
 */
export interface UnopenedRequest {
  readonly kind: 'https-probe' | 'hook';
  readonly port: number;
  readonly path: string;
}

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
