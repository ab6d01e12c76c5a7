import { type Parsed, type Problem, parsed } from '@gatehouse/core/problem';

/** Ends the reading of a message at its first unreadable part, as the proxy does; never leaves this folder. */
class Unreadable extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.found);
    this.problem = problem;
  }
}

export const unreadable = (field: string, found: string, fix: string): never => {
  throw new Unreadable({ field, found, fix });
};

/** What must be set, or the message around it is not a message. */
export const required = <T>(value: T | undefined, field: string): T =>
  value ?? unreadable(field, 'missing or unreadable', 'it is required');

export const orUnreadable = <T>(outcome: Parsed<T>): T => {
  if (outcome.ok) return outcome.value;
  throw new Unreadable(outcome.problems[0] ?? { field: '', found: 'unreadable', fix: 'nothing is known' });
};

/** Runs a reader; its first unreadable part becomes the one problem. */
export const reading = <T>(read: () => T): Parsed<T> => {
  try {
    return parsed(read());
  } catch (thrown) {
    if (thrown instanceof Unreadable) return { ok: false, problems: [thrown.problem] };
    throw thrown;
  }
};

/** Reads each item under its own path, `field[0]`, `field[1]` …. */
export const each = <M, T>(
  items: readonly M[],
  field: string,
  read: (item: M, field: string) => T,
): readonly T[] => items.map((item, index) => read(item, `${field}[${index}]`));
