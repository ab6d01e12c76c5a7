import { parseDuration } from '@gatehouse/core/duration';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';

export interface CheckOptions {
  readonly pre?: true;
  readonly proxy?: true;
  readonly namespace?: string;
  readonly wait: number;
  readonly output: 'table' | 'short' | 'json';
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly controlPlaneNamespace?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

const readWait = (text: string): number => {
  const duration = parseDuration(text);
  if (!duration.ok) throw new InvalidArgumentError('Use a duration such as 30s or 5m.');
  return duration.value;
};

const examples = `
Examples:
  # whether the mesh works, and what to do where it does not
  gatehouse check
  # before gatehouse install: whether this cluster will do, and whether you may
  gatehouse check --pre
  # after an install: wait until nothing fails any more
  gatehouse check --wait 5m
  # only the pods of one namespace
  gatehouse check --proxy -n demo
  # for a script: what is wrong and the verdict, or all of it
  gatehouse check -o short
  gatehouse check -o json | jq -r .verdict`;

/** `gatehouse check`: whether the mesh is as it should be. */
export const checkCommand = (finish: (run: Run) => void): Command =>
  new Command('check')
    .description(
      'Say whether the mesh works, and what to do where it does not. Exit code 1 if a check fails.',
    )
    .addOption(new Option('--pre', 'before an installation: whether this cluster will do').conflicts('proxy'))
    .option('--proxy', 'only pods and policies')
    .option('-n, --namespace <ns>', 'only the pods and policies of this namespace (default: all)')
    .addOption(
      new Option('--wait <duration>', 'go on until nothing fails, at most so long')
        .default(0, '0s')
        .argParser(readWait),
    )
    .addOption(
      new Option('-o, --output <format>', 'table, short (what is not ok), or json')
        .choices(['table', 'short', 'json'])
        .default('table'),
    )
    .optionsGroup('Which mesh is asked:')
    .option('--kubeconfig <file>', "a cluster's (default: KUBECONFIG, then ~/.kube/config)")
    .option('--context <name>', "the kubeconfig's context (default: its current one)")
    .option(
      '--control-plane-namespace <ns>',
      'where the control plane runs (default: GATEHOUSE_NAMESPACE, then gatehouse)',
    )
    .addOption(new Option('--token <token>', 'bearer token to be known by').conflicts('tokenFile'))
    .option('--token-file <file>', 'file that holds the bearer token')
    .addHelpText('after', examples)
    .action((options: CheckOptions) =>
      finish(async (surroundings) => (await import('./run-checks.ts')).runChecks(options, surroundings)),
    );
