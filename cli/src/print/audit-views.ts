import type { Audit, Row } from '../reach/policy-answers.ts';
import { because, type Extent, governorOf, printClient, printFrom, printRequests } from './policy-words.ts';
import { type PortView, printCondition } from './port-views.ts';
import { wrap } from './wrap.ts';

/** A port that Audit policies select, with what is in force and what would be. */
export interface AuditView {
  readonly label: string;
  readonly row: Row;
  readonly audit: Audit;
}

export const auditViews = (views: readonly PortView[]): readonly AuditView[] =>
  views.flatMap(({ label, row, audit }) =>
    row === null || audit === null || audit === undefined ? [] : [{ label, row, audit }],
  );

export const auditHeads = ['port', 'client', 'from', 'requests', 'now by', 'if enforced by'] as const;

/** A line for each client that is admitted now, or would be: by what in either case. */
export const auditRows = (
  { label, row, audit }: AuditView,
  self: string | null,
  extent: Extent,
): readonly (readonly string[])[] => {
  const lines = new Map<string, { readonly client: readonly string[]; readonly by: [string[], string[]] }>();
  for (const [at, regime] of [row, audit.row].entries()) {
    for (const one of regime.clients) {
      const client = [printClient(one, self, extent), printFrom(one, extent), printRequests(one, extent)];
      const key = JSON.stringify(client);
      const line = lines.get(key) ?? { client, by: [[], []] };
      lines.set(key, line);
      line.by[at]?.push(because(one, regime.governedBy));
    }
  }
  if (lines.size === 0) return [[label, 'nobody', '', '', governorOf(row), governorOf(audit.row)]];
  return [...lines.values()].map(({ client, by }) => [
    label,
    ...client,
    ...by.map((reasons) => [...new Set(reasons)].join(', ')),
  ]);
};

/** The same in sentences, for a narrow terminal. */
export const auditList = (rows: readonly (readonly string[])[], columns: number): string => {
  const lines: string[] = [];
  let last: string | undefined;
  for (const [label = '', client, from, requests, now, then] of rows) {
    if (label !== last) lines.push(label);
    last = label;
    const who = from === '' ? client : `${client} from ${from}: ${requests}`;
    lines.push(
      wrap(`  ${who}, now by ${now || 'nothing'}, if enforced by ${then || 'nothing'}`, columns, '    '),
    );
  }
  return lines.join('\n');
};

/** Where that is counted, and what of the policies would not do what their authors may expect, each thing once. */
export const auditNotes = (views: readonly AuditView[]): readonly string[] => {
  const notes = views.flatMap(({ label, row, audit }) => {
    const said = new Set(row.conditions.map(printCondition));
    return [
      `port ${label}: ${countingOf(audit)}.`,
      ...audit.row.conditions.map(printCondition).filter((condition) => !said.has(condition)),
    ];
  });
  return [...new Set(notes)];
};

/** Group is left out: kind and name tell these samples from all others. */
const countingOf = ({ counting: { labels, text } }: Audit): string =>
  labels === null
    ? text
    : `${text}, under authz_kind="${labels.authz_kind}", authz_name="${labels.authz_name}"`;
