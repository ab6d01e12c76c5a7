import { Command, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export const streamingServices = ['policy', 'destination'] as const;

export interface StreamsOptions extends ReachOptions {
  readonly namespace?: string;
  readonly of: (typeof streamingServices)[number];
  readonly pending?: true;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # which proxies of a namespace are connected to policy, since when, and what they were sent
  gatehouse streams -n demo
  # those that have not read all that they were sent
  gatehouse streams --pending
  # the streams of destination, with versions, identities and replicas
  gatehouse streams --of destination -n demo -o wide`;

/** `gatehouse streams`: who is connected to any replica of a service. */
export const streamsCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('streams')
      .description(
        'List the streams that proxies hold open: since when, what was sent, and what is still pending.',
      )
      .option('-n, --namespace <ns>', 'of the proxies of this namespace (default: all that you may see)')
      .addOption(
        new Option('--of <service>', 'whose streams')
          .choices([...streamingServices])
          .default('policy' as const),
      )
      .option('--pending', 'whose client has not read all that it was sent')
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((options: StreamsOptions) =>
      finish(async (surroundings) => (await import('./list-streams.ts')).listStreams(options, surroundings)),
    );
