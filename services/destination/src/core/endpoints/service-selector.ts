import type { LabelSelector } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';

/** How a Service selects its workloads. Undefined where it selects none: to Kubernetes an empty selector is none. */
export const selectorOf = ({ spec }: KubeObject<'Service'>): LabelSelector | undefined =>
  spec.selector === undefined || Object.keys(spec.selector).length === 0
    ? undefined
    : { matchLabels: spec.selector, matchExpressions: [] };
