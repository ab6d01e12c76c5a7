import { everything, type LabelSelector } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import { type Fields, readable } from './fields.ts';
import { readSelector } from './label-selector.ts';
import { readRule } from './policy-rule.ts';
import { readSource } from './policy-source.ts';
import { readPortRange } from './port-selector.ts';
import { policyParser } from './read.ts';

const readTarget = (spec: Fields): LabelSelector | undefined => {
  const target = spec.need('target', 'say which pods: { selector: { matchLabels: … } }')
    ? spec.fields('target')
    : undefined;
  if (target === undefined) return undefined;
  const selector = target.need('selector', 'a LabelSelector; {} means all pods of the namespace')
    ? target.fields('selector')
    : undefined;
  const read = selector === undefined ? undefined : readSelector(selector);
  target.close();
  return read;
};

const readPorts = (spec: Fields): readonly PortSelector[] | 'all' | undefined => {
  const ports = spec.eachFields('ports', readPortRange);
  if (ports === undefined) return spec.has('ports') ? undefined : 'all';
  return spec.isEmptyList('ports')
    ? spec.refuse('ports', 'an empty list', 'name a port, or remove the field to mean every port')
    : ports;
};

const readSpec = (spec: Fields, namespace: string): NetworkAuthenticationPolicySpec | undefined => {
  const target = readTarget(spec);
  const ports = readPorts(spec);
  spec.need('sources', 'say who may call; [] grants nothing');
  const sources = spec.eachFields('sources', (source) => readSource(source, namespace));
  const rules = spec.eachFields('rules', readRule);
  const mode = spec.oneOf('mode', ['Enforce', 'Audit']) ?? 'Enforce';
  const allowUnnormalizedPaths = spec.flag('allowUnnormalizedPaths') ?? false;
  spec.close();
  if (target === undefined || ports === undefined || sources === undefined) return undefined;
  return { target, ports, sources, rules, allowUnnormalizedPaths, mode };
};

/**
 * Ours (design §6.1). A typo must not open anything, so unknown fields at any level, nulls and empty objects reject it.
 * While rejected it closes the pods and ports it still names; one that says `mode: Audit` never closes anything.
 */
export const networkAuthenticationPolicyParser = policyParser<NetworkAuthenticationPolicySpec>({
  read: (spec, { meta }) => readSpec(spec, meta.namespace),
  closes: (spec) => ({
    closes: {
      selector:
        readable(spec, (alone) => {
          const selector = alone.fields('target')?.fields('selector');
          return selector === undefined ? undefined : readSelector(selector);
        }) ?? everything,
      ports: spec.raw('mode') === 'Audit' ? [] : (readable(spec, readPorts) ?? 'all'),
    },
  }),
});
