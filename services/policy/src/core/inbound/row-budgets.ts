import type {
  Authorization,
  GrpcMatch,
  HttpMatch,
  LocalRateLimit,
} from '@gatehouse/core/inbound/inbound-server';
import type { ResolvedSource } from './model.ts';

/**
 * What one row may hold and cost, however many objects it is made of (design §15.5): a namespace's turn is as long as its
 * longest row. What is over a budget is closed with a finding.
 */
export interface RowBudgets {
  /** Routes that the rules of all policies make of a port, those that Gatehouse adds included. */
  readonly ruleRoutes: number;
  /** Matches of all routes that are attached to a port's Server, and of those that keep probes open beside them. */
  readonly attachedMatches: number;
  /** See Steps. */
  readonly compileSteps: number;
}

/** The settings that say how much. */
export const rowBudgetNames = {
  ruleRoutes: 'GATEHOUSE_MAX_RULE_ROUTES',
  attachedMatches: 'GATEHOUSE_MAX_ATTACHED_MATCHES',
  compileSteps: 'GATEHOUSE_MAX_COMPILE_STEPS',
} as const satisfies Record<keyof RowBudgets, string>;

/** Steps are about as many as a proxy can be told of in one message: it takes no more than 4 MiB (`contract/proxy.md` §2). */
export const defaultRowBudgets: RowBudgets = Object.freeze({
  ruleRoutes: 256,
  attachedMatches: 2_048,
  compileSteps: 1_000_000,
});

/**
 * Counts what a row costs: conditions compared, clients looked up, networks and identities written. The same on every
 * machine and after every restart, which a time is not.
 */
export class Steps {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whether there is room for so many more. They are counted only if there is. */
  take(count: number): boolean {
    if (this.#taken + count > this.#limit) return false;
    this.#taken += count;
    return true;
  }

  /** Counts what is done in any case; it may leave no room for anything else. */
  use(count: number): void {
    this.#taken = Math.min(this.#limit, this.#taken + count);
  }
}

/** For what is known to fit. */
export const unlimitedSteps = (): Steps => new Steps(Number.POSITIVE_INFINITY);

/** How many comparisons these take the time of: to look up a pod, to write a network or identity, to write an authorization around them. */
const costs = { pod: 10, entry: 10, authorization: 20 } as const;

/** Steps to write the authorizations once. */
export const stepsToWrite = (authorizations: readonly Authorization[]): number => {
  let steps = 0;
  for (const { networks, authentication } of authorizations) {
    steps += costs.authorization + costs.entry * networks.length;
    if (authentication.kind === 'identities')
      steps += costs.entry * (authentication.identities.length + authentication.suffixes.length);
  }
  return steps;
};

/** Steps to write a limit with the clients that it names. */
export const stepsToWriteLimit = ({ overrides }: LocalRateLimit): number => {
  let steps: number = costs.entry;
  for (const { identities } of overrides) steps += costs.entry * (1 + identities.length);
  return steps;
};

/** Steps to find out for whom sources stand. */
export const stepsToResolve = (sources: readonly ResolvedSource[]): number =>
  sources.reduce((sum, { selectedPods }) => sum + 1 + costs.pod * selectedPods, 0);

/** Steps to write a match: each of its conditions is about as long as an identity. */
export const stepsToWriteMatch = (match: HttpMatch | GrpcMatch): number =>
  costs.entry * (1 + match.headers.length + ('queryParams' in match ? match.queryParams.length : 0));
