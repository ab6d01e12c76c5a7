import type { NetworkMatch } from '@gatehouse/core/ip-network';
import { type PolicyConfig, rowBudgetsOf } from './config.ts';
import type { ClusterConfig } from './core/inbound/model.ts';

/** How long proxies wait for bytes that tell HTTP; Linkerd's value. */
const detectTimeoutMs = 10_000;

/** What the settings say of the cluster, as the compiler needs it. */
export const clusterConfigOf = (config: PolicyConfig): ClusterConfig => ({
  mesh: { controlPlaneNamespace: config.namespace, trustDomain: config.trustDomain },
  defaultPolicy: config.defaultInboundPolicy,
  clusterNetworks: whole(config.clusterNetworks),
  probeNetworks: whole(config.probeNetworks ?? []),
  defaultOpaquePorts: config.defaultOpaquePorts,
  detectTimeoutMs,
  rowBudgets: rowBudgetsOf(config),
});

const whole = (networks: readonly NetworkMatch['net'][]): readonly NetworkMatch[] =>
  networks.map((net) => ({ net, except: [] }));
