import { everywhere, type NetworkMatch, parseNetwork } from '@gatehouse/core/ip-network';
import { portSet } from '@gatehouse/core/port-set';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import { aClusterConfig } from '@gatehouse/policy/testing/a-cluster-config';

/** What both controllers are told of the cluster. */
export const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
export const clusterNetworks = ['10.0.0.0/8', 'fd00::/8'];
export const probeNetworks = ['0.0.0.0/0', '::/0'];
export const opaquePorts = [25, 3306];
/** Neither's own default, so that neither gets by on it. */
export const defaultPolicy: DefaultPolicy = 'cluster-unauthenticated';

const networkOf = (cidr: string): NetworkMatch => {
  const net = parseNetwork(cidr);
  if (!net.ok) throw new TypeError(`${cidr} is not a network`);
  return { net: net.value, except: [] };
};

export const ourConfig = aClusterConfig({
  mesh,
  defaultPolicy,
  clusterNetworks: clusterNetworks.map(networkOf),
  probeNetworks: everywhere,
  defaultOpaquePorts: portSet(opaquePorts.map((port) => ({ first: port, last: port }))),
});
