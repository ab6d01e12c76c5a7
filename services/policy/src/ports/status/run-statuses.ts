import type { ServiceBase } from '@gatehouse/platform/service/service-base';
import { objectBudgetsOf } from '@gatehouse/platform/settings/budget-settings';
import type { PolicyConfig } from '../../config.ts';
import type { PolicyWatch } from '../policy-watch.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { Writer } from '../writer.ts';
import { ProgrammedRounds } from './programmed-rounds.ts';
import { StatusWriter } from './status-writer.ts';

interface Parts {
  readonly watch: Pick<PolicyWatch, 'index' | 'isReady' | 'judge' | 'verdicts' | 'followPolicies'>;
  readonly rollouts: Rollouts;
  readonly writer: Writer;
}

/** In a cluster, lets the writing replica say in the status of each policy object what became of it. */
export const runStatuses = (
  config: PolicyConfig,
  { platform, supervisor, metrics, log, now, elapsed }: ServiceBase,
  { watch, writer, rollouts }: Parts,
): void => {
  const results = metrics.counter({
    name: 'gatehouse_policy_statuses_total',
    help: 'Statuses of policy objects, by what came of writing them: written, same, failed (tried again), refused.',
    labelNames: ['result'],
  });
  if (platform.kind === 'dev') return;
  const programmed = new ProgrammedRounds({
    rollouts,
    index: watch.index,
    judge: watch.judge,
    isReady: () => watch.isReady,
    onLook: (object) => statuses.hear([{ object }]),
    log: log.child({ part: 'status' }),
  });
  const statuses = new StatusWriter({
    client: platform.client,
    index: watch.index,
    budgets: objectBudgetsOf(config),
    judge: watch.judge,
    programmedOf: (policy) => programmed.of(policy),
    isReady: () => watch.isReady,
    mayWrite: () => writer.mayWrite(),
    log: log.child({ part: 'status' }),
    onResult: (result) => results.inc({ result }),
    now,
    elapsed,
  });
  writer.onChange((leads) => {
    statuses.lead(leads);
    programmed.lead(leads);
  });
  watch.followPolicies((policies) => programmed.hear(policies));
  watch.verdicts.follow((changed) => statuses.hear(changed));
  supervisor.run('statuses', (signal) => statuses.run(signal));
  supervisor.run('rollouts for statuses', (signal) => programmed.run(signal));
};
