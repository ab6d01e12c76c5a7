import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

const formats = ['pem', 'spiffe', 'table', 'wide', 'json', 'yaml'] as const;

export interface TrustBundleOptions extends ReachOptions {
  readonly output: (typeof formats)[number];
}

const examples = `
Examples:
  # what proxies accept, as PEM
  gatehouse identity trust-bundle > ca.crt
  # as a SPIFFE bundle
  gatehouse identity trust-bundle -o spiffe`;

/** `gatehouse identity trust-bundle`: the roots, as a file for other programs unless a table is asked for. */
export const identityTrustBundleCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('trust-bundle')
      .description('Print the roots that this mesh trusts.')
      .addOption(
        new Option('-o, --output <format>', 'PEM, a SPIFFE bundle, a table, or our JSON or YAML')
          .choices([...formats])
          .default('pem'),
      ),
  )
    .addHelpText('after', examples)
    .action((options: TrustBundleOptions) =>
      finish(async (surroundings) =>
        (await import('./print-trust-bundle.ts')).printTrustBundle(options, surroundings),
      ),
    );
