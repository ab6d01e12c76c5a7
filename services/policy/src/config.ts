import { defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import { budgetSettings } from '@gatehouse/platform/settings/budget-settings';
import { type Config, readConfig, setting } from '@gatehouse/platform/settings/config';
import { count, hostPort, networks, oneOf, orOff } from '@gatehouse/platform/settings/setting-forms';
import {
  leafSettings,
  sharedProblems,
  sharedSettings,
  trafficSettings,
  watchSettings,
} from '@gatehouse/platform/settings/settings';
import { defaultRowBudgets, type RowBudgets, rowBudgetNames } from './core/inbound/row-budgets.ts';

const rowBudget = (budget: keyof RowBudgets, sentence: string) =>
  setting({
    variable: rowBudgetNames[budget],
    value: count,
    fallback: `${defaultRowBudgets[budget]}`,
    sentence,
  });

/** What one port's answer may hold and cost (decision 20). What is over is closed, with a finding. */
const rowBudgetSettings = {
  maxRuleRoutes: rowBudget('ruleRoutes', 'Routes that the `rules` of all policies may make on one port.'),
  maxAttachedMatches: rowBudget(
    'attachedMatches',
    'Matches that the routes of one Server may have together, and the routes that keep probes open beside them.',
  ),
  maxCompileSteps: rowBudget(
    'compileSteps',
    'Steps that compiling one port may take: conditions compared, clients looked up, networks and identities written.',
  ),
};

/** Every setting of policy. */
export const policySettings = {
  ...sharedSettings({ grpc: 8090, admin: 9997 }),
  ...leafSettings,
  ...trafficSettings,
  ...watchSettings,
  ...budgetSettings,
  ...rowBudgetSettings,
  webhookAddress: setting({
    variable: 'GATEHOUSE_WEBHOOK_ADDR',
    value: orOff(hostPort),
    fallback: '0.0.0.0:9443',
    sentence: 'Where the API server reaches the admission webhooks of a cluster; a folder has none.',
  }),
  defaultInboundPolicy: setting({
    variable: 'GATEHOUSE_DEFAULT_INBOUND_POLICY',
    value: oneOf(defaultPolicies),
    fallback: 'deny',
    sentence: 'What governs a port that nothing selects, unless pod or namespace are annotated otherwise.',
  }),
  clusterNetworks: setting({
    variable: 'GATEHOUSE_CLUSTER_NETWORKS',
    value: networks,
    fallback: '10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8',
    sentence: 'The networks that pods, Services and nodes have their addresses in.',
  }),
  probeNetworks: setting({
    variable: 'GATEHOUSE_PROBE_NETWORKS',
    value: orOff(networks),
    fallback: '0.0.0.0/0,::/0',
    sentence: 'Where kubelet probes come from; only their own requests stay open to it.',
  }),
  onStale: setting({
    variable: 'GATEHOUSE_ON_STALE',
    value: oneOf(['hold', 'deny']),
    fallback: 'hold',
    sentence: 'What address-bound rows do once the watch is stale: keep the last answer, or deny.',
  }),
};

export type PolicyConfig = Config<typeof policySettings>;

export const rowBudgetsOf = (config: PolicyConfig): RowBudgets => ({
  ruleRoutes: config.maxRuleRoutes,
  attachedMatches: config.maxAttachedMatches,
  compileSteps: config.maxCompileSteps,
});

/** Throws one error that lists every problem by its variable. */
export const readPolicyConfig = (env: NodeJS.ProcessEnv): PolicyConfig =>
  readConfig(policySettings, env, sharedProblems);
