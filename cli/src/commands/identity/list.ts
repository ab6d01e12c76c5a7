import { parseDuration } from '@gatehouse/core/duration';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Run } from '../../cli.ts';
import { exitCode } from '../../exit-code.ts';
import { printMoment } from '../../print/human-time.ts';
import { type OutputFormat, outputOption, printShown } from '../../print/output.ts';
import type { Terminal } from '../../print/terminal.ts';
import { addReachOptions, type ReachOptions } from '../../reach/reach-options.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import { readIssued, warnOfMissing } from './issued.ts';
import { type IssuedItem, isSuspicious, shortHex, shortIdentity } from './issued-item.ts';

interface ListOptions extends ReachOptions {
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
  ).action((options: ListOptions) => finish(identityList(options)));

const identityList =
  (options: ListOptions): Run =>
  (surroundings) =>
    withAdmin({ service: 'identity', options, surroundings }, async (api) => {
      const { terminal } = surroundings;
      const { namespace, identity, pod, serial, since, until, active, suspicious, limit } = options;
      const query = { namespace, identity, pod, serial, since, until, active, suspicious };
      const { items, hasMore, partial } = await readIssued(api, query, limit);
      const shown = {
        value: { items, hasMore, partial },
        heads: ['pod', 'identity', 'serial', 'issued', 'expires', 'mark'],
        rows: items.map((item) => rowOf(item, terminal)),
        wideHeads: ['key sha-256', 'pod uid', 'issued by'],
        wideRows: items.map(({ spkiSha256, pod: holder, replica = '' }) => [
          spkiSha256,
          holder?.uid ?? '',
          replica,
        ]),
      };
      if (options.output === 'wide') shown.rows = items.map((item) => rowOf(item, terminal, 'whole'));
      const isEmpty = items.length === 0 && (options.output === 'table' || options.output === 'wide');
      if (isEmpty) terminal.err('nothing that fits was issued, as far as is remembered');
      else terminal.out(printShown(options.output, shown, terminal.width));
      if (hasMore) terminal.err(`these are the newest ${items.length}: there are more, see --limit`);
      warnOfMissing({ partial }, terminal);
      return exitCode.ok;
    });

const rowOf = (
  item: IssuedItem,
  { paint }: Terminal,
  names: 'short' | 'whole' = 'short',
): readonly string[] => {
  const now = Date.now();
  const expires = printMoment(Date.parse(item.notAfter), now);
  return [
    item.pod === null ? '' : `${item.pod.namespace}/${item.pod.name}`,
    names === 'whole' ? item.identity : shortIdentity(item.identity),
    names === 'whole' ? item.serial : shortHex(item.serial),
    printMoment(Date.parse(item.issuedAt), now),
    Date.parse(item.notAfter) < now ? paint('dim', expires) : expires,
    isSuspicious(item) ? paint('red', 'SUSPICIOUS') : '',
  ];
};

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
