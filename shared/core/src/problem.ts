/**
 * What is wrong with something that was written, in the words needed to fix it: the field's path
 * (`spec.sources[0].podselector`), what was found there, and what would be right.
 */
export interface Problem {
  readonly field: string;
  readonly found: string;
  readonly fix: string;
}

/** The outcome of every parser: a value, or all the problems at once; never a half-read value. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const problem = (field: string, found: string, fix: string): Parsed<never> => ({
  ok: false,
  problems: [{ field, found, fix }],
});

/** One line for logs, statuses and terminals. */
export const printProblem = ({ field, found, fix }: Problem): string =>
  field === '' ? `${found}: ${fix}` : `${field}: ${found}: ${fix}`;
