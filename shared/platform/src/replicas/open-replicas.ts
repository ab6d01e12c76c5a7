import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Platform } from '../service/platform.ts';
import type { ServiceName } from '../service/service.ts';
import type { SharedConfig } from '../settings/settings.ts';
import { ClusterReplicas } from './cluster-replicas.ts';
import { PeerClient } from './peer-client.ts';
import { PeerDirectory } from './peer-directory.ts';
import { peerMetrics } from './peer-metrics.ts';
import { alone, type Replicas } from './replicas.ts';

/** The headless Service of each service, by which proxies reach it (design §3). */
export const headlessServiceOf = {
  identity: 'gatehouse-identity-headless',
  destination: 'gatehouse-dst-headless',
  policy: 'gatehouse-policy',
} as const satisfies Record<ServiceName, string>;

/**
 * The headless Service with the admin port of each service, whose EndpointSlices name its replicas. It is a Service of its own
 * because proxies resolve the other one by SRV and take every port of the answer for an endpoint (design §15.11).
 */
export const adminServiceOf = {
  identity: 'gatehouse-identity-admin',
  destination: 'gatehouse-destination-admin',
  policy: 'gatehouse-policy-admin',
} as const satisfies Record<ServiceName, string>;

export interface ReplicasParts {
  readonly service: ServiceName;
  readonly platform: Platform;
  /** Our mesh name. */
  readonly name: string;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
}

/** The replicas of a service, as far as there can be several: a folder of manifests is served by one process. */
export const openReplicas = (
  { podName = hostname(), namespace, adminAddress }: SharedConfig,
  { service, platform, name: meshName, metrics, log, now, elapsed }: ReplicasParts,
): Replicas => {
  let replicas: ClusterReplicas | undefined;
  const measures = peerMetrics(metrics, () => replicas?.lastSeen ?? 0);
  if (platform.kind === 'dev') return alone({ name: podName, instance: randomUUID() });
  const directory = new PeerDirectory({
    client: platform.client,
    namespace,
    service: adminServiceOf[service],
    self: podName,
    adminPort: adminAddress.port,
    now,
  });
  const client = new PeerClient({ name: meshName });
  replicas = new ClusterReplicas({
    name: podName,
    meshName,
    directory,
    client,
    metrics: measures,
    log,
    elapsed,
  });
  return replicas;
};
