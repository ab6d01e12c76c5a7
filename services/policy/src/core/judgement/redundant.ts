import { byAge } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import type { ConcerningPolicies } from '../inbound/rows/policy-index.ts';
import { found, type PolicyFinding } from './judgement.ts';

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

/** So many other policies are compared with one, the oldest: it is a hint, and must not cost the square of a namespace. */
const mostCompared = 64;

/**
 * Whether another policy grants all that this one grants, as far as that can be seen from what they say: the same pods or
 * all of them, all of the ports, all of the requests, and every source word for word. Of two equal ones it is the younger.
 */
export const judgeRedundance = (
  policy: Policy,
  concerning: readonly ConcerningPolicies[],
): readonly PolicyFinding[] => {
  const { spec } = policy;
  if (isRejected(spec) || spec.mode !== 'Enforce' || spec.sources.length === 0) return [];
  const [first] = concerning;
  const others = (first?.networkPolicies ?? []).toSorted(byAge).slice(0, mostCompared);
  const wider = others.find((other) => other !== policy && covers(other, policy, spec));
  if (wider === undefined) return [];
  return [found('Redundant', `NetworkAuthenticationPolicy ${wider.meta.name} grants all that it grants.`)];
};

const covers = (other: Policy, policy: Policy, spec: NetworkAuthenticationPolicySpec): boolean => {
  const { spec: its } = other;
  if (isRejected(its) || its.mode !== 'Enforce') return false;
  if (!coversAll(its, spec)) return false;
  return !coversAll(spec, its) || byAge(other, policy) < 0;
};

const coversAll = (wide: NetworkAuthenticationPolicySpec, narrow: NetworkAuthenticationPolicySpec): boolean =>
  (isSame(wide.target, narrow.target) || isEverything(wide.target)) &&
  hasAllPorts(wide.ports, narrow.ports) &&
  (wide.rules === undefined ||
    (isSame(wide.rules, narrow.rules) && wide.allowUnnormalizedPaths === narrow.allowUnnormalizedPaths)) &&
  narrow.sources.every((source) => wide.sources.some((each) => isSame(each, source)));

const isEverything = ({
  matchLabels,
  matchExpressions,
}: NetworkAuthenticationPolicySpec['target']): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;

const hasAllPorts = (
  wide: NetworkAuthenticationPolicySpec['ports'],
  narrow: NetworkAuthenticationPolicySpec['ports'],
): boolean => {
  if (wide === 'all') return true;
  if (narrow === 'all') return false;
  return narrow.every((port) =>
    wide.some((each) => {
      if (each.kind === 'name' || port.kind === 'name') return isSame(each, port);
      return each.first <= port.first && port.last <= each.last;
    }),
  );
};

const isSame = (a: unknown, b: unknown): boolean => print(a) === print(b);

const print = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? '';
