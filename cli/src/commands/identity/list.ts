import { parseDuration } from '@gatehouse/core/duration';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { type OutputFormat, outputOption } from '../../print/output-option.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';

export interface ListOptions extends ReachOptions {
  readonly namespace?: string;
  readonly identity?: string;
  readonly pod?: string;
  readonly serial?: string;
  readonly since?: string;
  readonly until?: string;
  readonly active?: true;
  readonly suspicious?: true;
  readonly limit: number;
  readonly output: OutputFormat;
}

const examples = `
Examples:
  # what is valid now, of one namespace
  gatehouse identity list -n demo --active
  # what a pod was given
  gatehouse identity list --pod demo/backend-0 -o wide
  # issued for keys that their pods had left behind
  gatehouse identity list --suspicious --since 7d`;

/** `gatehouse identity list`: what was issued, newest first. */
export const identityListCommand = (finish: (run: Run) => void): Command =>
  addReachOptions(
    new Command('list')
      .description('List what was issued, newest first.')
      .option('-n, --namespace <ns>', 'of workloads in this namespace (default: all)')
      .option('--identity <name>', 'of this identity, the whole DNS name')
      .option('--pod <pod>', 'of this pod: NAMESPACE/NAME, a uid, or with -n its name')
      .option('--serial <hex>', 'with this serial, as any tool prints it')
      .addOption(
        new Option('--since <time>', 'issued since then: 1h, 7d, or 2026-11-22T10:00:00Z').argParser(
          readTime,
        ),
      )
      .addOption(new Option('--until <time>', 'issued before then').argParser(readTime))
      .option('--active', 'valid now')
      .option('--suspicious', 'for a key that the pod had left behind')
      .addOption(new Option('--limit <number>', 'at most so many').argParser(readLimit).default(100))
      .addOption(outputOption()),
  )
    .addHelpText('after', examples)
    .action((options: ListOptions) =>
      finish(async (surroundings) => (await import('./list-issued.ts')).listIssued(options, surroundings)),
    );

/** A length of time is one before now. */
const readTime = (text: string): string => {
  const span = parseDuration(text);
  if (span.ok) return new Date(Date.now() - span.value).toISOString();
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw new InvalidArgumentError('Use how long ago (30m, 12h, 7d), or a time such as 2026-11-22T10:00:00Z.');
};

const readLimit = (text: string): number => {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new InvalidArgumentError('Use a number from 1 to 999999.');
};
