import type { Authorization } from '@gatehouse/core/inbound/inbound-server';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { ClusterConfig, Workload } from './model.ts';
import { proxyPorts } from './proxy-ports.ts';

/** The one request that a kubelet probe makes. */
export interface ProbeRequest {
  readonly method: 'GET' | 'POST';
  /** Exact, without query. */
  readonly path: string;
}

/** The standard health service's unary method: kubelet's gRPC probes call nothing else. */
const grpcHealthCheck: ProbeRequest = { method: 'POST', path: '/grpc.health.v1.Health/Check' };

/** The kubelet probes of the workload on this port, and the proxy's own on its admin port; sorted, each once. */
export const probeRequests = (workload: Workload, port: number): readonly ProbeRequest[] => {
  const requests: ProbeRequest[] =
    port === proxyPorts.admin
      ? [
          { method: 'GET', path: '/live' },
          { method: 'GET', path: '/ready' },
        ]
      : [];
  for (const probe of workload.probes) {
    if (probe.port !== port) continue;
    requests.push(probe.kind === 'grpc' ? grpcHealthCheck : { method: 'GET', path: probe.path });
  }
  const byText = new Map(requests.map((request) => [`${request.path} ${request.method}`, request]));
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, request]) => request);
};

/** Probes carry no identity. Without networks there is no authorization: the proxy would refuse the whole server. */
export const probeAuthorization = ({ probeNetworks }: ClusterConfig): Authorization | undefined =>
  probeNetworks.length === 0
    ? undefined
    : {
        networks: probeNetworks,
        authentication: { kind: 'unauthenticated' },
        meta: { kind: 'default', name: 'probe' },
      };
