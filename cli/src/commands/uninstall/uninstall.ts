import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import {
  addClusterOptions,
  type ClusterOptions,
  type ManifestFormat,
  manifestFormat,
} from '../install/install-options.ts';

export interface UninstallOptions extends ClusterOptions {
  readonly crds?: true;
  readonly force?: true;
  readonly output: ManifestFormat;
}

const examples = `
Examples:
  # the control plane; policies stay in the cluster, and mean nothing without it
  gatehouse uninstall | kubectl delete -f -
  # with the kinds of policies, and so all policies
  gatehouse uninstall --crds | kubectl delete -f -
  # although pods still have proxies, which will get no certificate when theirs ends
  gatehouse uninstall --force | kubectl delete -f -`;

/** `gatehouse uninstall`: prints what to delete. */
export const uninstallCommand = (finish: (run: Run) => void): Command =>
  addClusterOptions(
    new Command('uninstall')
      .description('Print the names of all objects of the installation, for kubectl delete.')
      .option('--crds', 'the CustomResourceDefinitions too: every policy is deleted with them')
      .option('--force', 'also while pods have proxies of this control plane')
      .addOption(manifestFormat()),
  )
    .addHelpText('after', examples)
    .action((options: UninstallOptions) =>
      finish(async (surroundings) =>
        (await import('./print-uninstall.ts')).printUninstall(options, surroundings),
      ),
    );
