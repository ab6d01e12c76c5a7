import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import {
  addClusterOptions,
  type ClusterOptions,
  type ManifestFormat,
  manifestFormat,
} from '../install/install-options.ts';

export interface PruneOptions extends ClusterOptions {
  readonly output: ManifestFormat;
}

const examples = `
Examples:
  # after an upgrade
  gatehouse prune | kubectl delete -f -
  # only look
  gatehouse prune`;

/** `gatehouse prune`: prints what an earlier installation left. */
export const pruneCommand = (finish: (run: Run) => void): Command =>
  addClusterOptions(
    new Command('prune')
      .description(
        'Print the names of objects that an earlier installation made and this one would not, for kubectl delete.',
      )
      .addOption(manifestFormat()),
  )
    .addHelpText('after', examples)
    .action((options: PruneOptions) =>
      finish(async (surroundings) => (await import('./print-prune.ts')).printPrune(options, surroundings)),
    );
