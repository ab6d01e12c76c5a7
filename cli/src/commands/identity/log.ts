import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface LogOptions extends ReachOptions {
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # how the issuance log is
  gatehouse identity log
  # for programs
  gatehouse identity log -o json`;

/** `gatehouse identity log`: whether what is issued can be recorded, without which nothing is issued. */
export const identityLogCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('log')
      .description('Show whether certificates can be recorded. Exit code 1 if they cannot.')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((options: LogOptions) =>
      finish(async (surroundings) => (await import('./show-log.ts')).showLog(options, surroundings)),
    );
