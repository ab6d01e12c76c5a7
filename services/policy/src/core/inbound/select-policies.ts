import { selects } from '@gatehouse/core/label-selector';
import { namesPort } from '@gatehouse/core/mesh/named-ports';
import { isProxyPort } from '@gatehouse/core/mesh/proxy-ports';
import { byAge } from '@gatehouse/core/resources/creation-order';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import type { ResolvedPolicy, ResolvedSource, Workload } from './model.ts';

/** A NetworkAuthenticationPolicy that could be read and selects the port. */
export interface SelectingPolicy {
  readonly object: KubeObject<'NetworkAuthenticationPolicy'>;
  readonly spec: NetworkAuthenticationPolicySpec;
  /** All of the port, raw TCP too, or only the requests that its rules describe. */
  readonly grantsOn: 'port' | 'requests';
  readonly sources: readonly ResolvedSource[];
}

/** The NetworkAuthenticationPolicies that select a port, oldest first. */
export interface SelectedPolicies {
  readonly enforced: readonly SelectingPolicy[];
  /** They grant nothing and close nothing (design §6.7). */
  readonly audited: readonly SelectingPolicy[];
  /** They grant nothing, and close what they still name (design §6.2). */
  readonly rejected: readonly KubeObject<'NetworkAuthenticationPolicy'>[];
}

export const selectPolicies = (
  policies: readonly ResolvedPolicy[],
  workload: Workload,
  port: number,
): SelectedPolicies => {
  const enforced: SelectingPolicy[] = [];
  const audited: SelectingPolicy[] = [];
  const rejected: KubeObject<'NetworkAuthenticationPolicy'>[] = [];
  // They select pods only.
  if (workload.kind === 'external-workload') return { enforced, audited, rejected };
  for (const policy of policies.toSorted((a, b) => byAge(a.object, b.object))) {
    const { object } = policy;
    const { meta, spec } = object;
    if (meta.namespace !== workload.namespace) continue;
    if (isRejected(spec)) {
      const { selector, ports } = spec.closes;
      // Here `all` is what nobody could read: it may have named the proxy's own ports as well.
      const named = ports === 'all' || namesPort(ports, port, workload);
      if (named && selects(selector, workload.labels)) rejected.push(object);
      continue;
    }
    const named =
      spec.ports === 'all' ? !isProxyPort(workload.proxyPorts, port) : namesPort(spec.ports, port, workload);
    if (!named || !selects(spec.target, workload.labels)) continue;
    const grantsOn = spec.rules === undefined ? 'port' : 'requests';
    (spec.mode === 'Enforce' ? enforced : audited).push({
      object,
      spec,
      grantsOn,
      get sources() {
        return policy.sources;
      },
    });
  }
  return { enforced, audited, rejected };
};
