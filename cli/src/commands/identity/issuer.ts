import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface IssuerOptions extends ReachOptions {
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # who signs, until when, and what is wrong with it
  gatehouse identity issuer
  # for programs
  gatehouse identity issuer -o json`;

/** `gatehouse identity issuer`: who signs, under which roots, how long still, and what was refused. */
export const identityIssuerCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('issuer')
      .description(
        'Show who signs, how long still, and why files were refused. Exit code 1 if nobody can sign.',
      )
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((options: IssuerOptions) =>
      finish(async (surroundings) => (await import('./show-issuer.ts')).showIssuer(options, surroundings)),
    );
