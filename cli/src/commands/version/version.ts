import { Command } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface VersionOptions extends ReachOptions {
  readonly client?: true;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # of this command and of the services of a mesh, and whether they fit
  gatehouse version
  # of this command alone; nothing is asked
  gatehouse version --client
  # for programs
  gatehouse version -o json`;

/** `gatehouse version`: the client's, the services', and their skew. */
export const versionCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('version')
      .description('Show the versions of this command and of the services, and whether they fit.')
      .option('--client', 'of this command alone')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((options: VersionOptions) =>
      finish(async (surroundings) => (await import('./show-version.ts')).showVersion(options, surroundings)),
    );
