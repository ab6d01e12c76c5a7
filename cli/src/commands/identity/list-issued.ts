import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printMoment } from '../../print/human-time.ts';
import { printShown } from '../../print/output.ts';
import type { Terminal } from '../../print/terminal.ts';
import { warnOfMissing } from '../../print/warn-of-missing.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import { readIssued } from './issued.ts';
import { type IssuedItem, isSuspicious, shortHex, shortIdentity } from './issued-item.ts';
import type { ListOptions } from './list.ts';

/** Says what was issued, and what could not be asked for. */
export const listIssued = (options: ListOptions, surroundings: Surroundings): Promise<ExitCode> =>
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
