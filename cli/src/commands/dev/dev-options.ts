import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import type { Command } from 'commander';

/** What every `gatehouse dev` command can be told about where things are. */
export interface DevOptions {
  readonly state?: string;
  readonly dir?: string;
}

export const addDevOptions = (command: Command): Command =>
  command
    .option('--state <folder>', `state directory of the services (default: ${defaultStateDir})`)
    .option('--dir <folder>', 'folder of manifests (default: the one the state directory belongs to)');
