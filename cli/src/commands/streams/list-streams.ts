import { type Static, Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printMoment, printSpan } from '../../print/human-time.ts';
import { printShown } from '../../print/output.ts';
import { shortIdentityOf } from '../../print/policy-words.ts';
import { warnOfMissing } from '../../print/warn-of-missing.ts';
import type { AdminApi } from '../../reach/admin-client.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { StreamsOptions } from './streams.ts';

const nullableText = Type.Union([Type.String(), Type.Null()]);

/** What this command reads of a stream; whatever else is said goes on into json and yaml. */
const Stream = Type.Object({
  method: Type.String(),
  target: Type.String(),
  peer: Type.String(),
  identity: nullableText,
  openedAt: Type.String(),
  version: nullableText,
  sentAt: nullableText,
  sentBytes: Type.Integer(),
  pending: Type.String(),
  deliveredVersion: nullableText,
  replica: Type.String(),
});
type Stream = Static<typeof Stream>;

const Page = Type.Object({
  items: Type.Array(Stream),
  continue: Type.Optional(Type.String()),
  partial: Type.Array(Type.Object({ replica: Type.String(), reason: Type.String() })),
});
type Page = Static<typeof Page>;

/** As many as a page has at most. */
const pageLimit = 1_000;

const heads = ['peer', 'method', 'target', 'open', 'sent', 'bytes', 'pending'];
const wideHeads = ['sent version', 'read version', 'identity', 'replica'];

/** `gatehouse streams`. */
export const listStreams = (options: StreamsOptions, surroundings: Surroundings): Promise<ExitCode> =>
  withAdmin({ service: options.of, options, surroundings }, async (api) => {
    const { terminal } = surroundings;
    const { namespace, pending, output } = options;
    const { items: all, partial } = await readStreams(api, namespace);
    const items = pending === true ? all.filter((stream) => stream.pending !== 'nothing') : all;
    const isForPeople = output === 'table' || output === 'wide';
    if (items.length === 0 && isForPeople) {
      terminal.err(
        pending === true && all.length > 0
          ? `nothing is pending on ${all.length} stream${all.length === 1 ? '' : 's'}`
          : `no proxy${namespace === undefined ? '' : ` of the namespace ${namespace}`} is connected to ${options.of}`,
      );
    } else {
      const now = Date.now();
      const rows = items.map((stream) => rowOf(stream, now));
      const wideRows = items.map(({ version, deliveredVersion, identity, replica }) => [
        version ?? '',
        deliveredVersion ?? '',
        identity === null ? '' : shortIdentityOf(identity),
        replica,
      ]);
      terminal.out(
        printShown(output, { value: { items, partial }, heads, rows, wideHeads, wideRows }, terminal.width),
      );
    }
    warnOfMissing({ partial }, terminal);
    return exitCode.ok;
  });

const readStreams = async (api: AdminApi, namespace: string | undefined) => {
  const items: Stream[] = [];
  const partial = new Map<string, Page['partial'][number]>();
  let mark: string | undefined;
  do {
    const page: Page = await api.json(Page, '/v1/streams', { namespace, limit: pageLimit, continue: mark });
    items.push(...page.items);
    for (const each of page.partial) partial.set(each.replica, each);
    mark = page.continue;
  } while (mark !== undefined);
  return { items, partial: [...partial.values()] };
};

const rowOf = (
  { peer, method, target, openedAt, sentAt, sentBytes, pending }: Stream,
  now: number,
): readonly string[] => [
  peer,
  method.slice(method.indexOf('/') + 1),
  target,
  printSpan(now - Date.parse(openedAt)),
  sentAt === null ? '' : printMoment(Date.parse(sentAt), now),
  `${sentBytes}`,
  pending === 'nothing' ? '' : pending,
];
