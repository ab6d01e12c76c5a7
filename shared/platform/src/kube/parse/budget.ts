import type { Problem } from '@gatehouse/core/problem';
import {
  budgetNames,
  defaultObjectBudgets,
  type ObjectBudgets,
} from '@gatehouse/core/resources/object-budgets';
import type { Fields } from './fields.ts';

/** What one object has been found to hold so far, against what it may hold (design §15.5). */
export class Tally {
  readonly budgets: ObjectBudgets;
  readonly #spent = new Map<keyof ObjectBudgets, number>();
  readonly #told = new Map<keyof ObjectBudgets, WeakSet<readonly Problem[]>>();

  constructor(budgets: ObjectBudgets = defaultObjectBudgets) {
    this.budgets = budgets;
  }

  /** Whether the object may hold so many more. */
  spend(budget: keyof ObjectBudgets, count: number): boolean {
    const spent = (this.#spent.get(budget) ?? 0) + count;
    this.#spent.set(budget, spent);
    return spent <= this.budgets[budget];
  }

  /** Whether these problems name the budget already; from now on they do. */
  told(budget: keyof ObjectBudgets, problems: readonly Problem[]): boolean {
    const told = this.#told.get(budget) ?? new WeakSet();
    this.#told.set(budget, told);
    const before = told.has(problems);
    told.add(problems);
    return before;
  }
}

/**
 * Counts what is about to be read. Once the object holds too many that is a problem, and what is over the budget is not
 * read: reading it is what would cost. A reader that goes on past the limit finds one problem, not one for each.
 */
export const spend = (fields: Fields, budget: keyof ObjectBudgets, count = 1): boolean => {
  if (fields.tally.spend(budget, count)) return true;
  if (!fields.tally.told(budget, fields.problems)) {
    const limit = fields.tally.budgets[budget];
    fields.problems.push(overBudget(budget, { field: fields.path, found: `more than ${limit}`, limit }));
  }
  return false;
};

/** Whether something is no larger than the budget for one of its kind; a problem of the field if it is. */
export const fits = (
  fields: Fields,
  budget: keyof ObjectBudgets,
  { name, size }: { readonly name: string; readonly size: number },
): boolean => {
  const limit = fields.tally.budgets[budget];
  if (size <= limit) return true;
  fields.problems.push(overBudget(budget, { field: fields.pathOf(name), found: `${size}`, limit }));
  return false;
};

/** The length of a list, which is read only if there is one. */
export const lengthOf = (fields: Fields, name: string): number => {
  const list = fields.raw(name);
  return Array.isArray(list) ? list.length : 0;
};

export const bytesOf = (text: string): number => Buffer.byteLength(text);

const overBudget = (
  budget: keyof ObjectBudgets,
  { field, found, limit }: { readonly field: string; readonly found: string; readonly limit: number },
): Problem => {
  const { things, setting } = budgetNames[budget];
  return { field, found: `${found} ${things}`, fix: `use at most ${limit}, or raise ${setting}` };
};
