import { GatehouseError } from '@gatehouse/core/error';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { auditHeads, auditList, auditNotes, auditRows, auditViews } from '../../print/audit-views.ts';
import { printShown } from '../../print/output.ts';
import type { Extent } from '../../print/policy-words.ts';
import {
  clientHeads,
  clientList,
  clientRows,
  notesOf,
  type PortView,
  portViews,
} from '../../print/port-views.ts';
import { printTable } from '../../print/table.ts';
import { pathOf, printAlike, printNotes, withoutEffect } from '../../print/workload-text.ts';
import {
  type AlikeWorkloads,
  firstOf,
  podsAmong,
  readWorkload,
  whereIsIt,
  workloadsOf,
  workloadsWith,
} from '../../reach/named-workload.ts';
import {
  type Audit,
  type PolicyAnswers,
  type WorkloadReport,
  withPolicy,
} from '../../reach/policy-answers.ts';
import { notesOfSelecting } from '../../reach/policy-findings.ts';
import type { AuthzOptions } from './authz.ts';

interface Found extends AlikeWorkloads {
  readonly report: WorkloadReport;
  /** What the objects that select it do not do. */
  readonly notes: readonly string[];
}

/** `gatehouse authz WORKLOAD | -l SELECTOR | -A`. */
export const showClients = (
  workload: string | undefined,
  options: AuthzOptions,
  surroundings: Surroundings,
): Promise<ExitCode> =>
  withPolicy({ options, surroundings }, async (answers, fallback) => {
    const namespace = options.namespace ?? fallback;
    const found: Found[] = [];
    for (const alike of await asked(workload, options, namespace, answers)) {
      const first = firstOf(alike);
      const include = options.audit === true ? 'audit' : undefined;
      const report = await whereIsIt(first.namespace, () => answers.workload(first, include));
      if (options.audit === true) requireAudit(report);
      found.push({
        ...alike,
        report,
        notes: await notesOfSelecting({ ...report, rows: rowsOf(report) }, answers),
      });
    }
    show(found, options, surroundings);
    return exitCode.ok;
  });

/** By name, or by labels and namespaces: one of both must be given. */
const asked = (
  workload: string | undefined,
  { selector, allNamespaces }: AuthzOptions,
  namespace: string,
  answers: PolicyAnswers,
): Promise<readonly AlikeWorkloads[]> => {
  const isList = selector !== undefined || allNamespaces === true;
  if (workload === undefined && isList)
    return workloadsWith({ selector, namespace: allNamespaces === true ? undefined : namespace }, answers);
  if (workload !== undefined && !isList) return workloadsOf(readWorkload(workload, namespace), answers);
  throw new GatehouseError(
    'invalid-argument',
    'say one of WORKLOAD, --selector and --all-namespaces, or both of these: whose clients are wanted',
  );
};

/** A service that does not know what it was asked for leaves it out. */
const requireAudit = ({ ports, otherPorts }: WorkloadReport): void => {
  if ([...ports, ...(otherPorts === null ? [] : [otherPorts])].every(({ audit }) => audit !== undefined))
    return;
  throw new GatehouseError(
    'failed-precondition',
    'the policy service is older than this command and says nothing of Audit policies: upgrade it',
  );
};

const show = (found: readonly Found[], options: AuthzOptions, { terminal }: Surroundings): void => {
  const { output } = options;
  switch (output) {
    case 'json':
    case 'yaml': {
      const items = found.map((one) => ({ pods: podsAmong(one), ...clientsOf(one.report) }));
      terminal.out(printShown(output, { value: { items }, heads: [], rows: [] }));
      return;
    }
    case 'table':
    case 'wide':
      for (const [at, one] of found.entries()) {
        if (at > 0) terminal.out('');
        terminal.out(terminal.paint('bold', printAlike(one, one.report)));
        terminal.out(textOf(one.report, options, terminal));
        if (one.notes.length > 0) terminal.out(`\n${printNotes(one.notes, terminal.columns)}`);
        for (const hint of options.audit === true ? [] : hintsFor(one))
          terminal.err(terminal.paint('dim', hint));
      }
  }
};

const rowsOf = ({ ports, otherPorts }: WorkloadReport) => [...ports.map(({ row }) => row), otherPorts?.row];

/** For programs: the same clients, as the REST API has them. */
const clientsOf = ({ ports, otherPorts, ...facts }: WorkloadReport) => ({
  ...facts,
  ports: ports.map(({ row, audit, ...port }) => ({
    ...port,
    ...auditOf(audit),
    access: row?.access ?? null,
    governedBy: row?.governedBy ?? null,
    clients: row?.clients ?? null,
  })),
  otherPorts:
    otherPorts === null
      ? null
      : {
          enforcement: otherPorts.enforcement,
          ...auditOf(otherPorts.audit),
          access: otherPorts.row?.access ?? null,
          governedBy: otherPorts.row?.governedBy ?? null,
          clients: otherPorts.row?.clients ?? null,
        },
});

/** Its row in the same few words as the one in force. */
const auditOf = (audit: Audit | null | undefined) => {
  if (audit === undefined || audit === null) return audit === undefined ? {} : { audit };
  const { row, ...rest } = audit;
  const { access, governedBy, clients } = row;
  return { audit: { ...rest, access, governedBy, clients } };
};

const textOf = (
  report: WorkloadReport,
  options: Pick<AuthzOptions, 'output' | 'audit'>,
  terminal: Pick<Surroundings['terminal'], 'width' | 'columns'>,
): string => {
  const { output, audit } = options;
  const { width, columns } = terminal;
  if (report.enforcement.state === 'not-enforced') return printNotes(whyOpen(report), columns);
  const views = portViews(report);
  const extent = output === 'wide' ? 'all' : 'few';
  const shown =
    audit === true ? ofAudit(views, report.identity, extent) : ofClients(views, report.identity, extent);
  if (shown === undefined) return 'No policy with `mode: Audit` selects a port of it.';
  const { heads, rows, list, notes } = shown;
  const table = printTable(heads, rows);
  const isWide = output === 'table' && width !== undefined && widthOf(table) > width;
  return [
    isWide ? list(rows, width) : table,
    ...(notes.length === 0 ? [] : ['', printNotes(notes, columns)]),
  ].join('\n');
};

/** A table, the same in sentences, and what to say below it. */
interface Shown {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly list: (rows: Shown['rows'], columns: number) => string;
  readonly notes: readonly string[];
}

const ofClients = (views: readonly PortView[], self: string | null, extent: Extent): Shown => ({
  heads: clientHeads,
  rows: views.flatMap((view) => clientRows(view, self, extent)),
  list: clientList,
  notes: notesOf(views),
});

/** Undefined where no Audit policy selects a port. */
const ofAudit = (views: readonly PortView[], self: string | null, extent: Extent): Shown | undefined => {
  const audited = auditViews(views);
  if (audited.length === 0) return undefined;
  return {
    heads: auditHeads,
    rows: audited.flatMap((view) => auditRows(view, self, extent)),
    list: auditList,
    notes: auditNotes(audited),
  };
};

const widthOf = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

/** Of a workload without a proxy before any of its ports a table would say the same in every line. */
const whyOpen = ({ enforcement, selectedBy }: WorkloadReport): readonly string[] => [
  `Anyone may call every port. ${enforcement.message}`,
  ...withoutEffect(selectedBy),
];

/** What to do next where nobody may call. */
const hintsFor = ({ report, ...alike }: Found): readonly string[] => {
  const isClosed =
    report.enforcement.state === 'enforced' && portViews(report).every(({ row }) => row?.access === 'closed');
  return isClosed
    ? [
        `nobody may call it: admit clients by ${admittingKind[alike.kind]} (docs/policy.md); \`gatehouse policy ${pathOf(alike)}\` shows what is in force`,
      ]
    : [];
};

/** No NetworkAuthenticationPolicy selects an ExternalWorkload. */
const admittingKind = {
  Pod: 'a NetworkAuthenticationPolicy',
  ExternalWorkload: 'a Server with an externalWorkloadSelector and an AuthorizationPolicy',
} as const satisfies Record<AlikeWorkloads['kind'], string>;
