import type { PodToInject } from '@gatehouse/core/injection/pod-to-inject';
import { type Labels, selects } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { selectedBy } from '@gatehouse/core/mesh/select-server';
import { isRejected } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';

/** More ports than this are a range for a rule, not ports that something listens on: the proxy need not watch each. */
const widestRange = 32;

/**
 * Whether a Server or an enforced NetworkAuthenticationPolicy selects a pod that is about to be created, and which ports they
 * name by number: its proxy must start closed, and watch those ports from the start (design §6.2). Names are those of declared
 * ports, which it watches anyway.
 */
export const policiesForNewPod = (
  index: ResourceIndex,
  { namespace, labels }: { readonly namespace: string; readonly labels: Labels },
): NonNullable<PodToInject['policies']> => {
  let select = false;
  const ports = new Set<number>();
  const take = (selectors: 'all' | readonly PortSelector[]): void => {
    select = true;
    for (const selector of selectors === 'all' ? [] : selectors) {
      if (selector.kind !== 'range' || selector.last - selector.first >= widestRange) continue;
      for (let port = selector.first; port <= selector.last; port += 1) ports.add(port);
    }
  };
  for (const server of index.in('Server', namespace).values()) {
    const selected = selectedBy(server, undefined);
    if (selected !== undefined && selects(selected.selector, labels)) take(selected.ports);
  }
  for (const { spec } of index.in('NetworkAuthenticationPolicy', namespace).values()) {
    if (isRejected(spec)) {
      if (selects(spec.closes.selector, labels)) take(spec.closes.ports);
    } else if (spec.mode === 'Enforce' && selects(spec.target, labels)) take(spec.ports);
  }
  return { select, ports: [...ports].sort((a, b) => a - b) };
};
