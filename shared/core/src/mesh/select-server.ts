import { type Labels, selects } from '../label-selector.ts';
import { byAge } from '../resources/creation-order.ts';
import type { PodSpec } from '../resources/kinds/kubernetes.ts';
import { isRejected, type KubeObject, type Rejected } from '../resources/kinds.ts';
import { namesPort } from './named-ports.ts';

/** What Servers select by; of a pod, or of the class of pods that share its rows. */
export interface Selectable {
  /** Absent = pods. */
  readonly kind?: 'external-workload';
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

const names = (server: KubeObject<'Server'>, workload: Selectable, port: number): boolean => {
  const selected = selectedBy(server, workload.kind);
  if (selected === undefined || !selects(selected.selector, workload.labels)) return false;
  return selected.ports === 'all' || namesPort(selected.ports, port, workload);
};

/** Which pods or ExternalWorkloads a Server selects, and which ports of them; a rejected one those that it still names. */
export const selectedBy = (
  { spec }: KubeObject<'Server'>,
  kind: Selectable['kind'],
): Rejected['closes'] | undefined => {
  if (isRejected(spec)) return kind === undefined ? spec.closes : spec.closesExternal;
  const selector = kind === undefined ? spec.podSelector : spec.externalWorkloadSelector;
  return selector && { selector, ports: [spec.port] };
};
