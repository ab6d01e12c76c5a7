import { parseDuration } from '@gatehouse/core/duration';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface RolloutOptions extends ReachOptions {
  readonly namespace?: string;
  /** Milliseconds. */
  readonly wait?: number;
  readonly output: OutputFormat;
}

export interface PolicyName {
  /** As it is written, or as kubectl shortens it. */
  readonly kind: string;
  readonly group: string | undefined;
  readonly name: string;
}

const examples = `
Examples:
  # on how many proxies a policy is in force, and which lack it
  gatehouse rollout status nap/frontend-can-talk-to-backend -n demo
  # until it is in force on all of them, half a minute at most: exit code 1 if it is not by then
  gatehouse rollout status nap/frontend-can-talk-to-backend -n demo --wait
  # a longer time, and every proxy that lacks it, for programs
  gatehouse rollout status server/web -n demo --wait=2m -o json
  # a policy that was deleted a moment ago: whether what it granted is withdrawn everywhere
  gatehouse rollout status nap/old -n demo --wait`;

const usualWaitMs = 30_000;

/** `gatehouse rollout status KIND/NAME`: on how many proxies a policy object is in force. */
export const rolloutStatusCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('status')
      .description(
        'Show on how many proxies a policy object is in force, and which lack it. Exit code 1 unless it is on all.',
      )
      .addArgument(
        new Argument(
          '<object>',
          'KIND/NAME, as kubectl takes it: nap/NAME, server/NAME, KIND.GROUP/NAME',
        ).argParser(readPolicyName),
      )
      .option('-n, --namespace <ns>', "the object's namespace (default: the kubeconfig's, then default)")
      .addOption(
        new Option('--wait [time]', 'until it is in force on all proxies, so long at most')
          .preset(usualWaitMs)
          .argParser(readWait),
      )
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((named: PolicyName, options: RolloutOptions) =>
      finish(async (surroundings) =>
        (await import('./show-rollout.ts')).showRollout(named, options, surroundings),
      ),
    );

const readPolicyName = (text: string): PolicyName => {
  const [, kind, group, name] = /^([a-z]+)(?:\.([a-z0-9.-]+))?\/([^/]+)$/i.exec(text) ?? [];
  if (kind !== undefined && name !== undefined) return { kind, group, name };
  throw new InvalidArgumentError('Use KIND/NAME, such as nap/frontend-can-talk-to-backend.');
};

const readWait = (text: string | number): number => {
  if (typeof text === 'number') return text;
  const read = parseDuration(text);
  if (read.ok && read.value > 0) return read.value;
  throw new InvalidArgumentError('Use how long, such as 30s or 5m.');
};
