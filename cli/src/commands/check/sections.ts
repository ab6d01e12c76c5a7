import type { CheckOptions } from './check.ts';
import { clusterChecks, permissions } from './check-cluster.ts';
import type { CheckContext } from './check-context.ts';
import { controlPlaneChecks } from './check-control-plane.ts';
import { crds } from './check-crds.ts';
import { injectionChecks } from './check-injection.ts';
import { linkerdBeside } from './check-linkerd.ts';
import { policyChecks } from './check-policies.ts';
import { proxyChecks } from './check-proxies.ts';
import { trustChecks } from './check-trust.ts';
import type { Check } from './finding.ts';

export interface Section {
  readonly title: string;
  readonly checks: readonly Check<CheckContext>[];
}

const pods: Section = {
  title: 'pods and policies',
  checks: [...proxyChecks, ...injectionChecks, ...policyChecks],
};

export const sectionsOf = ({ pre, proxy }: Pick<CheckOptions, 'pre' | 'proxy'>): readonly Section[] => {
  if (pre === true)
    return [
      { title: 'cluster', checks: [...clusterChecks, linkerdBeside, permissions] },
      { title: 'kinds of policies', checks: [crds('before')] },
    ];
  if (proxy === true) return [pods];
  return [
    { title: 'cluster', checks: [...clusterChecks, linkerdBeside] },
    { title: 'kinds of policies', checks: [crds('after')] },
    { title: 'control plane', checks: controlPlaneChecks },
    { title: 'trust', checks: trustChecks },
    pods,
  ];
};
