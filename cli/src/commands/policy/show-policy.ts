import { GatehouseError } from '@gatehouse/core/error';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import { printNotes } from '../../print/workload-text.ts';
import { type WorkloadReport, withPolicy } from '../../reach/policy-answers.ts';
import { notesOfSelecting } from '../../reach/policy-findings.ts';
import { listWorkloads } from './list-workloads.ts';
import { itemsOf, printState } from './policy-state.ts';
import { type PolicyQuestion, readState } from './read-policy.ts';
import { watchPolicy } from './watch-policy.ts';

/** `gatehouse policy [WORKLOAD [PORT]]`. */
export const showPolicy = async (
  { workload, port, options }: PolicyQuestion,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  if (workload === undefined) {
    if (options.watch !== true) return listWorkloads(options, surroundings);
    throw new GatehouseError('invalid-argument', '--watch follows one workload: name it');
  }
  if (options.allNamespaces === true) {
    throw new GatehouseError('invalid-argument', '--all-namespaces lists workloads: leave out the workload');
  }
  if (options.selector !== undefined) {
    throw new GatehouseError('invalid-argument', '--selector lists workloads: leave out the workload');
  }
  const question = { workload, port, options };
  if (options.watch === true) return watchPolicy(question, surroundings);
  return withPolicy({ options, surroundings }, async (answers, fallback) => {
    const state = await readState(question, answers, fallback);
    const { terminal } = surroundings;
    const { output } = options;
    if (output === 'json' || output === 'yaml')
      terminal.out(printShown(output, { value: { items: itemsOf(state) }, heads: [], rows: [] }));
    else {
      terminal.out(printState(state, output, terminal));
      for (const found of state) {
        if (found.of === 'port') continue;
        const notes = await notesOfSelecting({ ...found.report, rows: rowsOf(found.report) }, answers);
        if (notes.length > 0) terminal.out(`\n${printNotes(notes, terminal.columns)}`);
      }
    }
    return exitCode.ok;
  });
};

const rowsOf = ({ ports, otherPorts }: WorkloadReport) => [...ports.map(({ row }) => row), otherPorts?.row];
