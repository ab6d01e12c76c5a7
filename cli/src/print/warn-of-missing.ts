import type { Terminal } from './terminal.ts';

/** A replica that could not be asked: its part is missing from an answer. */
interface Missing {
  readonly replica: string;
  readonly reason: string;
}

/** Says on standard error that an answer is not whole, so that nobody takes it for that. */
export const warnOfMissing = (
  { partial = [] }: { readonly partial?: readonly Missing[] | undefined },
  terminal: Terminal,
): void => {
  for (const { replica, reason } of partial) {
    const who = replica === '*' ? 'the other replicas are' : `the replica ${replica} is`;
    terminal.err(terminal.paint('yellow', `not whole: ${who} not asked (${reason})`));
  }
};
