import { printShown } from '../../print/output.ts';
import { admits, governorOf, printPort } from '../../print/policy-words.ts';
import { notesOf, type PortView, portViews } from '../../print/port-views.ts';
import { printFields, rowFields } from '../../print/print-port.ts';
import type { Terminal } from '../../print/terminal.ts';
import { printAlike, printNotes, withoutEffect } from '../../print/workload-text.ts';
import { type AlikeWorkloads, podsAmong } from '../../reach/named-workload.ts';
import type { PortReport, WorkloadReport } from '../../reach/policy-answers.ts';

/** What was found in force: a workload with all its ports, or one port; of workloads that differ, one after the other. */
export type PolicyState = readonly (
  | (AlikeWorkloads & { readonly of: 'workload'; readonly report: WorkloadReport })
  | (AlikeWorkloads & { readonly of: 'port'; readonly report: PortReport })
)[];

type Found = PolicyState[number];

/** For programs. */
export const itemsOf = (state: PolicyState): readonly object[] =>
  state.map((found) => ({ pods: podsAmong(found), ...found.report }));

export const printState = (
  state: PolicyState,
  output: 'table' | 'wide',
  terminal: Pick<Terminal, 'width' | 'columns' | 'paint'>,
): string =>
  state
    .map((found) => [terminal.paint('bold', headOf(found)), ...bodyOf(found, output, terminal)].join('\n'))
    .join('\n\n');

const headOf = (found: Found): string => {
  const who = printAlike(found, found.report);
  return found.of === 'workload' ? who : `${who}  port ${printPort(portOf(found.report))}`;
};

export const portOf = ({ port, names }: PortReport) => ({ port: { first: port, last: port }, names });

const bodyOf = (
  found: Found,
  output: 'table' | 'wide',
  { width, columns }: Pick<Terminal, 'width' | 'columns'>,
): readonly string[] => {
  const { enforcement, selectedBy } = found.report;
  if (enforcement.state === 'not-enforced') {
    return [printNotes([`${enforcement.message}`, ...withoutEffect(selectedBy)], columns)];
  }
  if (found.of === 'port') return portText(found.report, { width, columns });
  const views = portViews(found.report);
  const notes = notesOf(views);
  const left = found.report.portsLeftOut;
  const table = {
    value: undefined,
    heads: ['port', 'protocol', 'admits', 'governed by'],
    rows: views.map(summaryRow),
    wideHeads: ['version'],
    wideRows: views.map(({ row }) => [row?.version ?? '']),
  };
  return [
    printShown(output, table, width),
    ...(left === 0 ? [] : [`and ${left} more ports that policies name`]),
    ...(notes.length === 0 ? [] : ['', printNotes(notes, columns)]),
  ];
};

const summaryRow = ({ label, enforcement, row }: PortView): readonly string[] =>
  enforcement.state === 'not-enforced' || row === null
    ? [label, '', 'anyone', `not enforced: ${enforcement.reason}`]
    : [label, row.protocol, admits(row.access), governorOf(row)];

const portText = (
  { row, identity, ...report }: PortReport,
  { width, columns }: Pick<Terminal, 'width' | 'columns'>,
): readonly string[] => {
  if (row === null) return [];
  const notes = notesOf([{ label: `${report.port}`, enforcement: report.enforcement, row }]);
  return [
    printFields(rowFields(row, identity), width),
    ...(notes.length === 0 ? [] : ['', printNotes(notes, columns)]),
  ];
};
