import { type Config, readConfig } from '@gatehouse/shared/config';
import type { Problem } from '@gatehouse/shared/core/problem';
import { leafSettings, sharedSettings, trafficSettings } from '@gatehouse/shared/settings';

/** Every setting of destination. */
export const destinationSettings = {
  ...sharedSettings({ grpc: 8086, admin: 9996 }),
  ...leafSettings,
  defaultOpaquePorts: trafficSettings.defaultOpaquePorts,
};

export type DestinationConfig = Config<typeof destinationSettings>;

/** Throws one error that lists every problem by its variable. */
export const readDestinationConfig = (env: NodeJS.ProcessEnv): DestinationConfig =>
  readConfig(destinationSettings, env, check);

const check = ({ source }: DestinationConfig): readonly Problem[] =>
  source.kind === 'kubernetes'
    ? [
        {
          field: 'GATEHOUSE_SOURCE',
          found: 'watching Kubernetes is not built yet',
          fix: 'use directory:PATH with a folder of manifests',
        },
      ]
    : [];
