import { isPort } from '../port-set.ts';
import { compareText } from '../resources/creation-order.ts';
import type { Probe } from '../resources/kinds/kubernetes.ts';
import type { ProxyPorts } from './proxy-ports.ts';

/** The one request that a kubelet probe makes. */
export interface ProbeRequest {
  readonly method: 'GET' | 'POST';
  /** Exact, without query. */
  readonly path: string;
}

/** The standard health service's unary method: kubelet's gRPC probes call nothing else. */
const grpcHealthCheck: ProbeRequest = { method: 'POST', path: '/grpc.health.v1.Health/Check' };

/** What the proxy is asked on its admin port (contract/proxy.md §5.1). */
const proxyProbes: readonly ProbeRequest[] = [
  { method: 'GET', path: '/live' },
  { method: 'GET', path: '/ready' },
];

interface Probed {
  /** Absent = pods. No kubelet looks after an ExternalWorkload. */
  readonly kind?: 'external-workload';
  readonly probes: readonly Probe[];
  readonly proxyPorts: ProxyPorts;
}

/** The requests of kubelet on a port of a meshed pod, to its containers and to its proxy; sorted, each once. */
export const probeRequests = (
  { kind, probes, proxyPorts }: Probed,
  port: number,
): readonly ProbeRequest[] => {
  if (kind === 'external-workload') return [];
  const requests: ProbeRequest[] = port === proxyPorts.admin ? [...proxyProbes] : [];
  for (const probe of probes) {
    if (probe.port !== port) continue;
    requests.push(probe.kind === 'grpc' ? grpcHealthCheck : { method: 'GET', path: probe.path });
  }
  const byText = new Map(requests.map((request) => [`${request.path} ${request.method}`, request]));
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, request]) => request);
};

/**
 * The port that a probe means by a text: that of its own container's port of this name, compared without case as Linkerd
 * does; else the number that the text is, as kubelet has it.
 */
export const portOfProbe = (
  text: string,
  ports: readonly { readonly name: string; readonly port: number }[],
): number | undefined => {
  const named = ports.find(({ name }) => name.toLowerCase() === text.toLowerCase());
  const port = named?.port ?? Number(text);
  return isPort(port) ? port : undefined;
};
