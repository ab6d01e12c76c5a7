import {
  budgetNames,
  defaultObjectBudgets,
  type ObjectBudgets,
} from '@gatehouse/core/resources/object-budgets';
import { type Config, setting } from './config.ts';
import { byteSize, count } from './setting-forms.ts';

const counted = (budget: keyof ObjectBudgets, sentence: string) =>
  setting({
    variable: budgetNames[budget].setting,
    value: count,
    fallback: `${defaultObjectBudgets[budget]}`,
    sentence,
  });

const sized = (budget: keyof ObjectBudgets, { fallback, sentence }: { fallback: string; sentence: string }) =>
  setting({ variable: budgetNames[budget].setting, value: byteSize, fallback, sentence });

/**
 * What one object may hold, so that anyone who writes it pays for it (design §15.5, decision 20). A policy object with more is
 * rejected; a pod's or namespace's field with more counts as unreadable.
 */
export const budgetSettings = {
  maxPatterns: counted('patterns', 'Regular expressions that one route or ServiceProfile may have.'),
  maxPatternSize: sized('patternBytes', {
    fallback: '1KiB',
    sentence:
      'How long a regular expression may be, with its repetitions written out, or the path of a match.',
  }),
  maxMatches: counted('matches', 'Matches that one object may have; of `rules` each path with each method.'),
  maxHosts: counted('hosts', 'Host names that one route may have.'),
  maxHeaderConditions: counted(
    'headers',
    'Headers that one match may ask for, and as many query parameters.',
  ),
  maxAnnotationSize: sized('annotationBytes', {
    fallback: '16KiB',
    sentence: 'How much of an object may be annotations that Gatehouse reads; with more they mean `deny`.',
  }),
  maxNetworks: counted('networks', 'Networks that one object may name, exceptions included.'),
  maxIdentities: counted('identities', 'Identities, ServiceAccounts and sources that one object may name.'),
  maxProbes: counted('probes', 'Kubelet probes of one pod that are kept open; with more none is.'),
  maxProbePathSize: sized('probePathBytes', {
    fallback: '256',
    sentence: 'How long the path of a probe may be that is kept open.',
  }),
};

export type BudgetConfig = Config<typeof budgetSettings>;

export const objectBudgetsOf = (config: BudgetConfig): ObjectBudgets => ({
  patterns: config.maxPatterns,
  patternBytes: config.maxPatternSize,
  matches: config.maxMatches,
  hosts: config.maxHosts,
  headers: config.maxHeaderConditions,
  annotationBytes: config.maxAnnotationSize,
  networks: config.maxNetworks,
  identities: config.maxIdentities,
  probes: config.maxProbes,
  probePathBytes: config.maxProbePathSize,
});
