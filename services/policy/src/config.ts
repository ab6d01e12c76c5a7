import { defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import { type Config, readConfig, setting } from '@gatehouse/platform/settings/config';
import { networks, oneOf, orOff } from '@gatehouse/platform/settings/setting-forms';
import {
  leafSettings,
  sharedProblems,
  sharedSettings,
  trafficSettings,
} from '@gatehouse/platform/settings/settings';

/** Every setting of policy. */
export const policySettings = {
  ...sharedSettings({ grpc: 8090, admin: 9997 }),
  ...leafSettings,
  ...trafficSettings,
  defaultInboundPolicy: setting({
    variable: 'GATEHOUSE_DEFAULT_INBOUND_POLICY',
    value: oneOf(defaultPolicies),
    fallback: 'deny',
    sentence: 'What governs a port that nothing selects, unless pod or namespace are annotated otherwise.',
  }),
  probeNetworks: setting({
    variable: 'GATEHOUSE_PROBE_NETWORKS',
    value: orOff(networks),
    fallback: '0.0.0.0/0,::/0',
    sentence: 'Where kubelet probes come from; only their own requests stay open to it.',
  }),
};

export type PolicyConfig = Config<typeof policySettings>;

/** Throws one error that lists every problem by its variable. */
export const readPolicyConfig = (env: NodeJS.ProcessEnv): PolicyConfig =>
  readConfig(policySettings, env, sharedProblems);
