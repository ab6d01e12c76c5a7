import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type Finding, type PortInput, refOf } from './model.ts';
import { rowBudgetNames } from './row-budgets.ts';

/** What to tell the author of an object for which the row had no steps left. */
export const tooManySteps = (object: KubeObject, { port, cluster }: PortInput): Finding => ({
  reason: 'TooManySteps',
  about: refOf(object),
  message: `${whyTooManySteps(port, cluster.rowBudgets.compileSteps)}, so this policy grants nothing there.`,
});

export const whyTooManySteps = (port: number, limit: number): string =>
  `Port ${port} would take more than ${limit} steps to compile (${rowBudgetNames.compileSteps})`;
