import { type Config, readConfig, setting, type ValueForm } from '@gatehouse/shared/config';
import type { NetworkMatch } from '@gatehouse/shared/core/ip-network';
import { type Problem, parsed } from '@gatehouse/shared/core/problem';
import { defaultPolicies } from '@gatehouse/shared/kube/kinds';
import { networks, oneOf } from '@gatehouse/shared/setting-forms';
import { leafSettings, sharedSettings, trafficSettings } from '@gatehouse/shared/settings';

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
    value: networks,
    fallback: '0.0.0.0/0,::/0',
    sentence: 'Where kubelet probes come from; only their own requests stay open to it.',
  }),
};
