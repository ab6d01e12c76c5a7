import { selects } from '@gatehouse/shared/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/shared/kube/kinds';
import { byAge } from './creation-order.ts';
import type { Workload } from './model.ts';
import { namesPort } from './port-selection.ts';

export interface SelectedServers {
  readonly governing: KubeObject<'Server'> | undefined;
  /** Younger Servers that select the same port and have no say there. */
  readonly overlapped: readonly KubeObject<'Server'>[];
}

/**
 * Which Server governs a port: the oldest that selects it, then the first by name (`contract/linkerd-semantics.md`
 * §2.2). A rejected Server keeps its place with what it still names, so that breaking it hands the port to nobody.
 */
export const selectServer = (
  servers: readonly KubeObject<'Server'>[],
  workload: Workload,
  port: number,
): SelectedServers => {
  const [governing, ...overlapped] = servers
    .filter((server) => server.meta.namespace === workload.namespace && names(server, workload, port))
    .toSorted(byAge);
  return { governing, overlapped };
};

const names = ({ spec }: KubeObject<'Server'>, workload: Workload, port: number): boolean => {
  if (isRejected(spec)) {
    const { selector, ports } = spec.closes;
    return selects(selector, workload.labels) && (ports === 'all' || namesPort(ports, port, workload));
  }
  return (
    spec.podSelector !== undefined &&
    selects(spec.podSelector, workload.labels) &&
    namesPort([spec.port], port, workload)
  );
};
