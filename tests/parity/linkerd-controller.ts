import type { RealCluster } from '@gatehouse/testing/real-cluster';
import { LinkerdPeer } from './linkerd-peer.ts';
import { clusterNetworks, defaultPolicy, mesh, opaquePorts, probeNetworks } from './same-settings.ts';

const deployment = 'linkerd-destination';

/**
 * Starts Linkerd's policy controller on a cluster, with the settings that ours has. It also writes the statuses without which it
 * attaches no route and no rate limit: for that it takes a Lease, which must be owned by a Deployment.
 */
export const startLinkerdController = async (
  binary: string,
  { cluster, folder }: { readonly cluster: RealCluster; readonly folder: string },
): Promise<LinkerdPeer> => {
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
  return LinkerdPeer.start({
    binary,
    folder,
    // Who holds the Lease.
    host: `${deployment}-0`,
    args: ({ grpc, admin }) => [
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
};
