import { GatehouseError } from '@gatehouse/core/error';
import { pause } from '@gatehouse/platform/process/pause';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printYaml } from '../../print/output.ts';
import { wrap } from '../../print/wrap.ts';
import { withPolicy } from '../../reach/policy-answers.ts';
import { changesOf } from './policy-changes.ts';
import { itemsOf, type PolicyState, printState } from './policy-state.ts';
import { type PolicyQuestion, readState } from './read-policy.ts';

/** How often it is asked what is in force. */
const everyMs = 1_000;

/** Shows the state, then what changes, until it is interrupted. A service that is away for a while is asked again. */
export const watchPolicy = async (
  question: PolicyQuestion & { readonly workload: string },
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal, interrupted } = surroundings;
  const { options } = question;
  let last: PolicyState | undefined;
  let trouble: string | undefined;
  const look = async (): Promise<void> => {
    await withPolicy({ options, surroundings }, async (answers, fallback) => {
      while (!interrupted.aborted) {
        const state = await readOrGone(last, () => readState(question, answers, fallback));
        if (trouble !== undefined) terminal.err(terminal.paint('dim', 'it answers again'));
        trouble = undefined;
        say(state, last, question, surroundings);
        last = state;
        await pause(everyMs, interrupted);
      }
    });
  };
  while (!interrupted.aborted) {
    try {
      await look();
    } catch (error) {
      if (interrupted.aborted) break;
      // What never worked is an error, as without --watch.
      if (last === undefined || !(error instanceof GatehouseError) || error.code !== 'unavailable')
        throw error;
      if (trouble !== error.message) terminal.err(terminal.paint('yellow', `${error.message}; trying again`));
      trouble = error.message;
      await pause(everyMs, interrupted);
    }
  }
  return exitCode.ok;
};

/** Pods come and go while they are watched; one that never was is a mistake. */
const readOrGone = async (
  last: PolicyState | undefined,
  read: () => Promise<PolicyState>,
): Promise<PolicyState> => {
  try {
    return await read();
  } catch (error) {
    if (last !== undefined && error instanceof GatehouseError && error.code === 'not-found') return [];
    throw error;
  }
};

const colours = { '+': 'green', '-': 'red', '~': 'yellow' } as const;

const say = (
  state: PolicyState,
  last: PolicyState | undefined,
  { options: { output } }: PolicyQuestion,
  { terminal }: Surroundings,
): void => {
  const at = new Date().toISOString();
  if (output === 'json' || output === 'yaml') {
    const items = itemsOf(state);
    if (last !== undefined && JSON.stringify(items) === JSON.stringify(itemsOf(last))) return;
    const value = { at, items };
    terminal.out(output === 'json' ? JSON.stringify(value) : `---\n${printYaml(value)}`);
    return;
  }
  if (last === undefined) {
    terminal.out(printState(state, output, terminal));
    return;
  }
  const changes = changesOf(last, state);
  if (changes.length === 0) return;
  terminal.out('');
  terminal.out(terminal.paint('bold', at));
  for (const { sign, text } of changes)
    terminal.out(
      terminal.paint(
        colours[sign],
        wrap(`${sign} ${text}`, terminal.width ?? Number.POSITIVE_INFINITY, '    '),
      ),
    );
};
