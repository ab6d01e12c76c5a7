import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import {
  addClusterOptions,
  addValueOptions,
  type ClusterOptions,
  type ManifestFormat,
  manifestFormat,
  type ValueOptions,
} from '../install/install-options.ts';

export interface UpgradeOptions extends ValueOptions, ClusterOptions {
  readonly skipCrds?: true;
  readonly output: ManifestFormat;
}

const examples = `
Examples:
  # to the version of this command, with the values that were installed
  gatehouse upgrade | kubectl apply -f -
  # the same version with other values; null takes one back
  gatehouse upgrade --set replicas=3 --set logLevel=null | kubectl apply -f -
  # what would change
  gatehouse upgrade | kubectl diff -f -
  # afterwards: what an earlier version had and this one has not
  gatehouse prune | kubectl delete -f -`;

/** `gatehouse upgrade`: prints the manifests for what runs, with its values. */
export const upgradeCommand = (finish: (run: Run) => void): Command =>
  addClusterOptions(
    addValueOptions(
      new Command('upgrade').description(
        'Print the manifests of the control plane with the values of the one that runs, and changes to them.',
      ),
    )
      .optionsGroup('What is printed:')
      .option('--skip-crds', 'all but the CustomResourceDefinitions')
      .addOption(manifestFormat()),
  )
    .addHelpText('after', examples)
    .action((options: UpgradeOptions) =>
      finish(async (surroundings) =>
        (await import('./print-upgrade.ts')).printUpgrade(options, surroundings),
      ),
    );
