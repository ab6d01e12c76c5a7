import { firstOf, readWorkload, whereIsIt, workloadsOf } from '../../reach/named-workload.ts';
import type { PolicyAnswers } from '../../reach/policy-answers.ts';
import type { PolicyOptions } from './policy.ts';
import type { PolicyState } from './policy-state.ts';

export interface PolicyQuestion {
  readonly workload: string | undefined;
  readonly port: string | undefined;
  readonly options: PolicyOptions;
}

/** What is in force on what the command line means, now. */
export const readState = async (
  { workload, port, options }: PolicyQuestion & { readonly workload: string },
  answers: PolicyAnswers,
  fallback: string,
): Promise<PolicyState> => {
  const named = readWorkload(workload, options.namespace ?? fallback);
  const found: PolicyState[number][] = [];
  for (const alike of await workloadsOf(named, answers)) {
    const asked = firstOf(alike);
    found.push(
      await whereIsIt(asked.namespace, async () =>
        port === undefined
          ? { of: 'workload', ...alike, report: await answers.workload(asked) }
          : { of: 'port', ...alike, report: await answers.port(asked, port) },
      ),
    );
  }
  return found;
};
