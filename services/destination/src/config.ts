import { budgetSettings } from '@gatehouse/platform/settings/budget-settings';
import { type Config, optionalSetting, readConfig, setting } from '@gatehouse/platform/settings/config';
import { boolean, oneOf } from '@gatehouse/platform/settings/setting-forms';
import {
  leafSettings,
  sharedProblems,
  sharedSettings,
  trafficSettings,
} from '@gatehouse/platform/settings/settings';

/** Every setting of destination. */
export const destinationSettings = {
  ...sharedSettings({ grpc: 8086, admin: 9996 }),
  ...leafSettings,
  ...trafficSettings,
  ...budgetSettings,
  slices: optionalSetting({
    variable: 'GATEHOUSE_ENDPOINT_SLICES',
    value: oneOf(['written', 'derived']),
    absent: '`written`; `derived` for a folder',
    sentence:
      "Where endpoints come from: EndpointSlices alone, or a Service's selector where it has none, for an API server without controllers.",
  }),
  externalSlices: setting({
    variable: 'GATEHOUSE_EXTERNAL_SLICES',
    value: oneOf(['write', 'leave']),
    fallback: 'write',
    sentence:
      'Whether EndpointSlices are written for the ExternalWorkloads that Services select; `leave` while Linkerd does it.',
  }),
  ipv6: setting({
    variable: 'GATEHOUSE_PROXY_IPV6',
    value: boolean,
    fallback: 'false',
    sentence:
      'Whether proxies listen on IPv6 too where the environment of their pod does not say; dual-stack pods are then given by it.',
  }),
};

export type DestinationConfig = Config<typeof destinationSettings>;

/** Throws one error that lists every problem by its variable. */
export const readDestinationConfig = (env: NodeJS.ProcessEnv): DestinationConfig =>
  readConfig(destinationSettings, env, sharedProblems);
