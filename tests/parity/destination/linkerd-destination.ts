import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { freePort } from '@gatehouse/testing/free-port';
import type { RealCluster } from '@gatehouse/testing/real-cluster';
import { startServerProcess } from '@gatehouse/testing/server-process';
import { mesh, opaquePorts } from '../same-settings.ts';

/** Linkerd's destination controller on a cluster, with the settings that ours has. */
export interface LinkerdDestination {
  readonly client: GrpcClient;
  stop(): Promise<void>;
}

const readyWithinMs = 60_000;

/** As Linkerd's chart starts it, with IPv6 off, which is its default. Waits until it has its lists. */
export const startLinkerdDestination = async (
  binary: string,
  { cluster, folder }: { readonly cluster: RealCluster; readonly folder: string },
): Promise<LinkerdDestination> => {
  const [grpc, admin] = [await freePort(), await freePort()];
  const child = startServerProcess(binary, {
    log: join(folder, 'destination.log'),
    // Who holds the Lease of its controller for EndpointSlices.
    env: { HOSTNAME: 'linkerd-destination-0' },
    args: [
      'destination',
      `-kubeconfig=${cluster.server.kubeconfig}`,
      `-addr=127.0.0.1:${grpc}`,
      `-metrics-addr=127.0.0.1:${admin}`,
      `-controller-namespace=${mesh.controlPlaneNamespace}`,
      '-outbound-transport-mode=transport-header',
      '-enable-ipv6=false',
      `-identity-trust-domain=${mesh.trustDomain}`,
      '-cluster-domain=cluster.local',
      `-default-opaque-ports=${opaquePorts.join(',')}`,
    ],
  });
  const deadline = AbortSignal.timeout(readyWithinMs);
  while (!(await isReady(admin))) {
    if (child.ended()) throw new Error(await child.lastWords('ended before it was ready'));
    if (deadline.aborted) throw new Error(await child.lastWords('is not ready in time'));
    await sleep(100);
  }
  const address = { host: '127.0.0.1', port: grpc };
  const client = new GrpcClient({ address, security: 'plaintext', connectTimeoutMs: 10_000 });
  return {
    client,
    stop: async () => {
      client.close();
      await child.stop();
    },
  };
};

const isReady = async (admin: number): Promise<boolean> => {
  const answer = await fetch(`http://127.0.0.1:${admin}/ready`).catch(() => undefined);
  return answer?.ok === true;
};
