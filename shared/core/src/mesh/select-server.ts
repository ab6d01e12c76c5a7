import { type Labels, selects } from '../label-selector.ts';
import { byAge } from '../resources/creation-order.ts';
import type { PodSpec } from '../resources/kinds/kubernetes.ts';
import { isRejected, type KubeObject } from '../resources/kinds.ts';
import { namesPort } from './named-ports.ts';

/** What Servers select by; of a pod, or of the class of pods that share its rows. */
export interface Selectable {
  readonly namespace: string;
  readonly labels: Labels;
  readonly ports: PodSpec['ports'];
}

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
  servers: Iterable<KubeObject<'Server'>>,
  workload: Selectable,
  port: number,
): SelectedServers => {
  const [governing, ...overlapped] = [...servers]
    .filter((server) => server.meta.namespace === workload.namespace && names(server, workload, port))
    .sort(byAge);
  return { governing, overlapped };
};

const names = ({ spec }: KubeObject<'Server'>, workload: Selectable, port: number): boolean => {
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
