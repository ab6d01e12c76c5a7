import type { Authorization } from '@gatehouse/core/inbound/inbound-server';
import { grantsOf } from './model.ts';
import { type Steps, stepsToResolve, stepsToWrite } from './row-budgets.ts';
import { policyMeta, type RulePolicy } from './rule-routes.ts';
import type { SelectingPolicy } from './select-policies.ts';

/** What policies without rules grant, oldest first, and those for which no steps are left: the newest. */
export const grantsOnPort = (
  granting: readonly SelectingPolicy[],
  steps: Steps,
): { readonly authorizations: readonly Authorization[]; readonly costly: readonly SelectingPolicy[] } => {
  const policies = granting.filter(({ grantsOn }) => grantsOn === 'port');
  const authorizations: Authorization[] = [];
  // Once there is no room, nobody asks for whom the rest would stand.
  const first = policies.findIndex((policy) => {
    const grants = grantsBy(policy);
    if (!steps.take(grants.steps)) return true;
    authorizations.push(...grants.authorizations);
    return false;
  });
  return { authorizations, costly: first < 0 ? [] : policies.slice(first) };
};

/** What the sources of a policy grant, and the steps to find that out and to write it. */
export const grantsBy = ({ object, sources }: SelectingPolicy): ReturnType<RulePolicy['grants']> => {
  const authorizations = grantsOf(sources).map((grant) => ({ ...grant, meta: policyMeta(object.meta.name) }));
  return { authorizations, steps: stepsToResolve(sources) + stepsToWrite(authorizations) };
};
