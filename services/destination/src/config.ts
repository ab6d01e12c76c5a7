import { budgetSettings } from '@gatehouse/platform/settings/budget-settings';
import { type Config, readConfig } from '@gatehouse/platform/settings/config';
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
};

export type DestinationConfig = Config<typeof destinationSettings>;

/** Throws one error that lists every problem by its variable. */
export const readDestinationConfig = (env: NodeJS.ProcessEnv): DestinationConfig =>
  readConfig(destinationSettings, env, sharedProblems);
