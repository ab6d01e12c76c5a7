import { everywhere } from '@gatehouse/core/ip-network';
import { noPorts } from '@gatehouse/core/port-set';
import type { ClusterConfig } from '../src/core/inbound/model.ts';
import { defaultRowBudgets } from '../src/core/inbound/row-budgets.ts';

/** The settings of a mesh `gatehouse` with default deny, unless the test says otherwise. */
export const aClusterConfig = (said: Partial<ClusterConfig> = {}): ClusterConfig => ({
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  defaultPolicy: 'deny',
  clusterNetworks: [],
  probeNetworks: everywhere,
  defaultOpaquePorts: noPorts,
  detectTimeoutMs: 10_000,
  rowBudgets: defaultRowBudgets,
  ...said,
});
