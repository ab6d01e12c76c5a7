import type { Labels } from '../label-selector.ts';
import { hasPort, type PortSet, parsePortSet } from '../port-set.ts';
import type { KubeObject } from '../resources/kinds.ts';
import { selectServer } from './select-server.ts';

/** Lists ports whose bytes clients must not interpret; on pods and on Services, each for itself. */
export const opaquePortsAnnotation = 'config.linkerd.io/opaque-ports';

/** What decides whether a workload's port is opaque. */
export interface OpaqueFacts {
  /** Every Server of the workload's namespace, rejected ones too; the order does not matter. */
  readonly servers: Iterable<KubeObject<'Server'>>;
  /** GATEHOUSE_DEFAULT_OPAQUE_PORTS: what holds where no annotation speaks. */
  readonly defaults: PortSet;
}

/**
 * Whether clients must treat the port of a pod or of an ExternalWorkload as opaque bytes: the oldest Server that selects it says
 * so by its proxyProtocol, unless that is `unknown`; then, or without a Server, the workload's annotation, else the default list
 * (design §7). Destination's hints and policy's outbound rows both ask here, so that they cannot disagree.
 */
export const isOpaquePort = (
  { kind, meta, spec }: KubeObject<'Pod'> | KubeObject<'ExternalWorkload'>,
  port: number,
  facts: OpaqueFacts,
): boolean => {
  const { namespace, labels, annotations } = meta;
  const { governing: server } = selectServer(
    facts.servers,
    {
      ...(kind === 'ExternalWorkload' ? { kind: 'external-workload' as const } : {}),
      namespace,
      labels,
      ports: spec.ports,
    },
    port,
  );
  // A rejected Server keeps its place in the order (design §6.2), and its protocol where that could be read.
  const protocol = server?.spec.proxyProtocol ?? 'unknown';
  if (protocol !== 'unknown') return protocol === 'opaque';
  return isListedOpaque({ annotations, ports: spec.ports }, port, facts.defaults);
};

/** The same for a Service's port, where no Server can speak: the Service's annotation, else the default list. */
export const isOpaqueServicePort = (
  service: KubeObject<'Service'>,
  port: number,
  defaults: PortSet,
): boolean =>
  isListedOpaque({ annotations: service.meta.annotations, ports: service.spec.ports }, port, defaults);

/** What no Server decides: by the annotation, else by the default list. A pod's own proxy is told the same as its clients. */
export const isListedOpaque = (
  {
    annotations,
    ports,
  }: {
    readonly annotations: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number }[];
  },
  port: number,
  defaults: PortSet,
): boolean => {
  const annotation = annotations[opaquePortsAnnotation];
  return annotation === undefined ? hasPort(defaults, port) : listsPort(annotation, port, ports);
};

/**
 * Whether an annotation's list holds the port. Read item by item, and by name too, as Linkerd does: an unreadable item
 * costs that item. An empty text lists none.
 */
export const listsPort = (
  annotation: string,
  port: number,
  named: readonly { readonly name: string; readonly port: number }[],
): boolean =>
  annotation.split(',').some((part) => {
    const item = part.trim();
    const ports = parsePortSet(item);
    if (ports.ok) return hasPort(ports.value, port);
    return named.some((candidate) => candidate.name === item && candidate.port === port);
  });
