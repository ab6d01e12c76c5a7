import { quoted } from '@gatehouse/core/foreign-text';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { admits, printPort, shortGovernor, shortObject } from '../../print/policy-words.ts';
import { printName, printNotes } from '../../print/workload-text.ts';
import { allWorkloads, groupAlike } from '../../reach/named-workload.ts';
import { type WorkloadItem, withPolicy } from '../../reach/policy-answers.ts';
import { allPolicies, findingNotes, policiesOn } from '../../reach/policy-findings.ts';
import type { PolicyOptions } from './policy.ts';

/** `gatehouse policy` without a workload. */
export const listWorkloads = (options: PolicyOptions, surroundings: Surroundings): Promise<ExitCode> =>
  withPolicy({ options, surroundings }, async (answers, fallback) => {
    const { terminal } = surroundings;
    const namespace = options.allNamespaces === true ? undefined : (options.namespace ?? fallback);
    const items: WorkloadItem[] = [];
    const { output, selector } = options;
    for await (const item of allWorkloads(answers, { namespace, selector })) items.push(item);
    const all = await allPolicies(answers, namespace);
    const policies = selector === undefined ? all : policiesOn(items, all);
    const isForPeople = output === 'table' || output === 'wide';
    if (items.length === 0 && isForPeople) {
      const labelled = selector === undefined ? '' : ` with the labels ${quoted(selector)}`;
      terminal.err(
        namespace === undefined
          ? `there is no workload${labelled} in any namespace that you may see`
          : `there is no workload${labelled} in the namespace ${namespace}: name another with -n, or use -A for all`,
      );
      return exitCode.ok;
    }
    // Wide has a line for each workload, with what tells it from its like.
    const groups =
      output === 'wide' ? items.map((first) => ({ first, names: [first.workload.name] })) : groupAlike(items);
    const isWhole = namespace === undefined;
    const rows = groups.flatMap((group) => {
      const { namespace: home, ...workload } = group.first.workload;
      const name = printName(workload);
      const label = output === 'wide' ? (isWhole ? `${home}/${name}` : name) : nameOf(group, isWhole);
      return linesOf(group.first).map((line) => [label, ...line]);
    });
    const wideRows = groups.flatMap(({ first }) => linesOf(first).map(() => [first.identity ?? '']));
    const notes = isForPeople ? [...notesOf(groups, isWhole), ...findingNotes(policies, isWhole)] : [];
    terminal.out(
      printShown(
        output,
        { value: { items, policies }, heads: listHeads, rows, wideHeads: ['identity'], wideRows },
        terminal.width,
      ),
    );
    if (notes.length > 0) terminal.out(`\n${printNotes(notes, terminal.columns)}`);
    return exitCode.ok;
  });

const listHeads = ['workload', 'port', 'protocol', 'admits', 'governed by'];

interface Group {
  readonly first: WorkloadItem;
  readonly names: readonly string[];
}

const nameOf = ({ first: { workload, owner }, names }: Group, withNamespace: boolean): string => {
  const name =
    owner === null
      ? printName(workload)
      : `${shortObject(owner)}${names.length === 1 ? '' : ` (${names.length})`}`;
  return withNamespace ? `${workload.namespace}/${name}` : name;
};

/** So many reasons are explained. */
const mostNotes = 8;

/** Why policy is not enforced, each reason once, with the workloads that it is about. */
const notesOf = (groups: readonly Group[], withNamespace: boolean): readonly string[] => {
  const byMessage = new Map<string, string[]>();
  for (const group of groups) {
    const { message } = group.first.enforcement;
    if (message === null) continue;
    const names = byMessage.get(message) ?? [];
    byMessage.set(message, [...names, nameOf(group, withNamespace)]);
  }
  return [...byMessage].slice(0, mostNotes).map(([message, names]) => {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    return `${names.slice(0, 3).join(', ')}${more}: ${message}`;
  });
};

/** Port, protocol, the clients that it admits, and what governs it; one line for a workload on which nothing is enforced. */
const linesOf = ({ enforcement, ports, otherPorts }: WorkloadItem): readonly (readonly string[])[] => {
  if (enforcement.state === 'not-enforced')
    return [['all', '', 'anyone', `not enforced: ${enforcement.reason}`]];
  const views = [
    ...ports.map((port) => ({ ...port, label: printPort(port) })),
    ...(otherPorts === null ? [] : [{ ...otherPorts, label: 'others' }]),
  ];
  return views.map(({ label, enforcement: ofPort, protocol, access, governedBy, conditions }) =>
    ofPort.state === 'not-enforced' || governedBy === null
      ? [label, '', 'anyone', `not enforced: ${ofPort.reason}`]
      : [
          label,
          protocol ?? '',
          admits(access),
          `${shortGovernor(governedBy)}${conditions.includes('Rejected') ? ' (rejected)' : ''}`,
        ],
  );
};
