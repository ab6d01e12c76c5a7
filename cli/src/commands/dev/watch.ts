import { Argument, Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type NamespacedName, readNamespaced, readPort } from '../../print/read-arguments.ts';
import { addDevOptions, type DevOptions } from './dev-options.ts';

export interface WatchOptions extends DevOptions {
  readonly once?: true;
  readonly output: 'table' | 'json';
}

const examples = `
Examples:
  # each row as it comes, until interrupted
  gatehouse dev watch demo/backend-0 8080
  # the row in force now, for programs
  gatehouse dev watch demo/backend-0 8080 --once -o json`;

/** `gatehouse dev watch NS/POD PORT`: shows each row that the pod's proxy would be sent, as it comes. */
export const devWatchCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('watch'))
    .description("Show what a pod's proxy is told about a port, and every change of it.")
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .addArgument(new Argument('<port>', 'the port').argParser(readPort(1)))
    .option('--once', 'end after the first answer')
    .addOption(
      new Option('-o, --output <format>', 'table, or one JSON object a line')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', examples)
    .action((pod: NamespacedName, port: number, options: WatchOptions) =>
      finish(async (surroundings) =>
        (await import('./watch-port.ts')).watchPort({ pod, port, options }, surroundings),
      ),
    );
