import { defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import { budgetSettings } from '@gatehouse/platform/settings/budget-settings';
import { type Config, readConfig, setting } from '@gatehouse/platform/settings/config';
import { networks, oneOf, orOff } from '@gatehouse/platform/settings/setting-forms';
import {
  leafSettings,
  sharedProblems,
  sharedSettings,
  trafficSettings,
  watchSettings,
} from '@gatehouse/platform/settings/settings';

/** Every setting of policy. */
export const policySettings = {
  ...sharedSettings({ grpc: 8090, admin: 9997 }),
  ...leafSettings,
  ...trafficSettings,
  ...watchSettings,
  ...budgetSettings,
  defaultInboundPolicy: setting({
    variable: 'GATEHOUSE_DEFAULT_INBOUND_POLICY',
    value: oneOf(defaultPolicies),
    fallback: 'deny',
    sentence: 'What governs a port that nothing selects, unless pod or namespace are annotated otherwise.',
  }),
  clusterNetworks: setting({
    variable: 'GATEHOUSE_CLUSTER_NETWORKS',
    value: networks,
    fallback: '10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8',
    sentence: 'The networks that pods, Services and nodes have their addresses in.',
  }),
  probeNetworks: setting({
    variable: 'GATEHOUSE_PROBE_NETWORKS',
    value: orOff(networks),
    fallback: '0.0.0.0/0,::/0',
    sentence: 'Where kubelet probes come from; only their own requests stay open to it.',
  }),
  onStale: setting({
    variable: 'GATEHOUSE_ON_STALE',
    value: oneOf(['hold', 'deny']),
    fallback: 'hold',
    sentence: 'What address-bound rows do once the watch is stale: keep the last answer, or deny.',
  }),
};

export type PolicyConfig = Config<typeof policySettings>;

/** Throws one error that lists every problem by its variable. */
export const readPolicyConfig = (env: NodeJS.ProcessEnv): PolicyConfig =>
  readConfig(policySettings, env, sharedProblems);
