import type { RealCluster } from '@gatehouse/testing/real-cluster';
import { LinkerdPeer } from '../linkerd-peer.ts';
import { mesh, opaquePorts } from '../same-settings.ts';

/**
 * Linkerd's destination controller on a cluster, with the settings that ours has: as Linkerd's chart starts it, with IPv6 off,
 * which is its default.
 */
export const startLinkerdDestination = (
  binary: string,
  { cluster, folder }: { readonly cluster: RealCluster; readonly folder: string },
): Promise<LinkerdPeer> =>
  LinkerdPeer.start({
    binary,
    folder,
    // Who holds the Lease of its controller for EndpointSlices.
    host: 'linkerd-destination-0',
    args: ({ grpc, admin }) => [
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
