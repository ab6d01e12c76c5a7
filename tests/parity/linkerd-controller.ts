import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { freePort } from '@gatehouse/testing/free-port';
import type { RealCluster } from '@gatehouse/testing/real-cluster';
import { startServerProcess } from '@gatehouse/testing/server-process';
import { clusterNetworks, defaultPolicy, mesh, opaquePorts, probeNetworks } from './same-settings.ts';

/** Linkerd's policy controller on a cluster, with the settings that ours has. */
export interface LinkerdController {
  readonly client: GrpcClient;
  stop(): Promise<void>;
}

const deployment = 'linkerd-destination';
const readyWithinMs = 60_000;

/**
 * Starts it and waits until it has its lists. It also writes the statuses without which it attaches no route and no rate
 * limit: for that it takes a Lease, which must be owned by a Deployment.
 */
export const startLinkerdController = async (
  binary: string,
  { cluster, folder }: { readonly cluster: RealCluster; readonly folder: string },
): Promise<LinkerdController> => {
  const namespace = mesh.controlPlaneNamespace;
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const labels = { app: deployment };
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: deployment },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'policy', image: 'policy' }] } },
    },
  });
  const [grpc, admin] = [await freePort(), await freePort()];
  const child = startServerProcess(binary, {
    log: join(folder, 'policy-controller.log'),
    // Who holds the Lease.
    env: { HOSTNAME: `${deployment}-0` },
    args: [
      `--kubeconfig=${cluster.server.kubeconfig}`,
      '--admission-controller-disabled',
      `--grpc-addr=127.0.0.1:${grpc}`,
      `--admin-addr=127.0.0.1:${admin}`,
      `--control-plane-namespace=${namespace}`,
      `--policy-deployment-name=${deployment}`,
      `--identity-domain=${mesh.trustDomain}`,
      `--cluster-networks=${clusterNetworks.join(',')}`,
      `--probe-networks=${probeNetworks.join(',')}`,
      `--default-policy=${defaultPolicy}`,
      `--default-opaque-ports=${opaquePorts.join(',')}`,
    ],
  });
  const deadline = AbortSignal.timeout(readyWithinMs);
  while (!(await isReady(admin))) {
    if (child.ended()) throw new Error(await child.lastWords('ended before it was ready'));
    if (deadline.aborted) throw new Error(await child.lastWords('is not ready in time'));
    await sleep(50);
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
