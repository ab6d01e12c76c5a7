import type { Labels } from '../label-selector.ts';
import { hasPort, type PortSet, parsePortSet, portSet } from '../port-set.ts';

/** Lists ports of a pod that its network rules do not redirect to the proxy. */
export const skipInboundPortsAnnotation = 'config.linkerd.io/skip-inbound-ports';

/** Why connections to a port never meet the pod's proxy: the pod has its node's network, or the port is skipped. */
export type Bypass = 'host-network' | 'skipped-port';

interface Bypassing {
  readonly hostNetwork: boolean;
  readonly annotations: Labels;
}

/**
 * Whether a port of a meshed pod bypasses the proxy; undefined = it does not. The client then speaks with the
 * application itself: no identity may be demanded of it, and no policy is enforced there.
 */
export const bypassOf = ({ hostNetwork, annotations }: Bypassing, port: number): Bypass | undefined => {
  if (hostNetwork) return 'host-network';
  return skipItems(annotations).some((item) => skips(item, port)) ? 'skipped-port' : undefined;
};

/** All ports that the pod's list takes from the proxy. */
export const skippedPorts = (annotations: Labels): PortSet =>
  portSet(
    skipItems(annotations).flatMap((item) => {
      const ports = parsePortSet(item);
      return ports.ok ? ports.value.ranges : [];
    }),
  );

/** The items of the pod's list that skip nothing, since they are not a port or a range of ports. */
export const unreadableSkips = (annotations: Labels): readonly string[] =>
  skipItems(annotations).filter((item) => !parsePortSet(item).ok);

/**
 * An unreadable item costs that item, and a name is one: the list goes to the pod's init container as it is written,
 * which knows numbers only (Linkerd's `linkerd-init --inbound-ports-to-ignore`), so that a named port is redirected.
 */
const skipItems = (annotations: Labels): readonly string[] =>
  (annotations[skipInboundPortsAnnotation] ?? '').split(',').map((item) => item.trim());

const skips = (item: string, port: number): boolean => {
  const ports = parsePortSet(item);
  return ports.ok && hasPort(ports.value, port);
};
