import type { Audit, Client, Condition, Enforcement, Row, WorkloadReport } from '../reach/policy-answers.ts';
import {
  because,
  type Extent,
  governorOf,
  printClient,
  printFrom,
  printPort,
  printRequests,
  shortObject,
} from './policy-words.ts';
import { wrap } from './wrap.ts';

/** A port of a workload as tables show it, or all that are not listed. */
export interface PortView {
  readonly label: string;
  readonly enforcement: Enforcement;
  readonly row: Row | null;
  readonly audit?: Audit | null | undefined;
}

export const portViews = ({
  ports,
  otherPorts,
}: Pick<WorkloadReport, 'ports' | 'otherPorts'>): readonly PortView[] => [
  ...ports.map((port) => ({
    label: printPort(port),
    enforcement: port.enforcement,
    row: port.row,
    audit: port.audit,
  })),
  ...(otherPorts === null ? [] : [{ label: 'others', ...otherPorts }]),
];

export const clientHeads = ['port', 'client', 'from', 'requests', 'because of'] as const;

/** Who may call a port: a line for each authorization, one that says so where there is none. */
export const clientRows = (
  { label, enforcement, row }: PortView,
  self: string | null,
  extent: Extent,
): readonly (readonly string[])[] => {
  if (enforcement.state === 'not-enforced' || row === null) {
    return [[label, 'anyone', 'anywhere', 'all', `not enforced: ${enforcement.reason}`]];
  }
  const { governedBy } = row;
  if (row.clients.length === 0) return [[label, 'nobody', '', '', governorOf(row)]];
  return shownClients(row).map((client) => [
    label,
    printClient(client, self, extent),
    printFrom(client, extent),
    printRequests(client, extent),
    because(client, governedBy),
  ]);
};

/** What anyone may, probes may. */
export const shownClients = ({ access, clients }: Row): readonly Client[] =>
  access === 'open' ? clients.filter(({ by }) => by.name !== 'probe') : clients;

/**
 * The same for a narrow terminal, where a table would have to leave out what tells its lines apart: ports, and below each its
 * clients in sentences.
 */
export const clientList = (rows: readonly (readonly string[])[], columns: number): string => {
  const lines: string[] = [];
  let last: string | undefined;
  for (const [label = '', client, from, requests, reason] of rows) {
    if (label !== last) lines.push(label);
    last = label;
    const whence = from === '' ? '' : ` from ${from}`;
    const what = requests === '' ? '' : `: ${requests}`;
    lines.push(wrap(`  ${client}${whence}${what}, by ${reason}`, columns, '    '));
  }
  return lines.join('\n');
};

/** What of the ports their users may not expect, each thing once: a sentence, and what it is about. */
export const notesOf = (views: readonly PortView[]): readonly string[] => {
  const notes = views.flatMap(({ label, enforcement, row }) => [
    ...(enforcement.message === null ? [] : [`port ${label}: ${enforcement.message}`]),
    ...(row?.conditions ?? []).filter(({ reason }) => reason !== 'Unenforced').map(printCondition),
  ]);
  return [...new Set(notes)];
};

export const printCondition = ({ about, message }: Condition): string =>
  about === null ? message : `${shortObject(about)}: ${message}`;
