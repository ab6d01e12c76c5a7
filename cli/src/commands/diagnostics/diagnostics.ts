import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface DiagnosticsOptions extends ReachOptions {
  readonly logs: number;
  readonly output: 'text' | 'json';
}

const examples = `
Examples:
  # what to attach to a bug report; read it before you send it
  gatehouse diagnostics > diagnostics.txt
  # with more of what the services logged
  gatehouse diagnostics --logs 2000 > diagnostics.txt
  # of the \`gatehouse serve\` of a state directory
  gatehouse diagnostics --state .gatehouse`;

/** `gatehouse diagnostics`: what a bug report needs, without secrets. */
export const diagnosticsCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('diagnostics')
      .description(
        'Print what to attach to a bug report: versions, health, metrics, logs. Secrets are removed.',
      )
      .addOption(
        new Option('--logs <lines>', 'so many of the last lines of each pod of the control plane')
          .argParser(readLines)
          .default(200),
      )
      .addOption(
        new Option('-o, --output <format>', 'text, or one json object')
          .choices(['text', 'json'])
          .default('text'),
      ),
  )
    .addHelpText('after', examples)
    .action((options: DiagnosticsOptions) =>
      finish(async (surroundings) =>
        (await import('./print-diagnostics.ts')).printDiagnostics(options, surroundings),
      ),
    );

const readLines = (text: string): number => {
  if (/^\d{1,6}$/.test(text) && Number(text) <= 100_000) return Number(text);
  throw new InvalidArgumentError('Use a number from 0 to 100000.');
};
