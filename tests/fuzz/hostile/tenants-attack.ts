import { crowd } from '@gatehouse/policy/testing/tenants/crowd';
import { hostileTenants } from '@gatehouse/policy/testing/tenants/hostile-tenants';
import type { Attack } from './attack.ts';

/**
 * The most that this thread may work between a calm namespace's change and its row, for all namespaces together. Before
 * rows had budgets and namespaces turns, it was 15 to 50 s. `npm run bench -- tenants` says how much it is.
 */
const mostBusyMs = 1_500;

/** The author of a namespace, who writes what the CRDs accept to have other namespaces wait. */
export const tenants: Attack = {
  name: 'tenants',
  run: async ({ share }) => {
    const findings: string[] = [];
    let [tried, worst] = [0, 0];
    for (const tenant of hostileTenants) {
      const { busyMs, hostileTurns } = await crowd({
        calm: 20,
        hostile: [tenant],
        seconds: 4 * share,
        calmEveryMs: 20,
        hostileEveryMs: 100,
      });
      const latest = busyMs.at(-1) ?? Number.POSITIVE_INFINITY;
      worst = Math.max(worst, latest);
      tried += hostileTurns;
      if (latest > mostBusyMs)
        findings.push(`${tenant.name}: a calm row waited for ${latest.toFixed(0)} ms of CPU`);
    }
    return { tried, findings, held: `no calm row waited for more than ${worst.toFixed(0)} ms of CPU` };
  },
};
