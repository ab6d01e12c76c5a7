import type { HostPort } from '@gatehouse/core/host-port';
import type { EndpointSliceSpec, SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';

/** Another replica of this service, as its EndpointSlices have it. */
export interface Peer {
  /** Its pod; its address where the slice was written by hand and names none. */
  readonly name: string;
  /** Its admin port. */
  readonly address: HostPort;
}

/** The port's name in the Services that are for admin ports. */
const adminPortName = 'admin';

/**
 * The replicas in the slices of a Service, each once, by name; `self` is the pod that asks and is left out. Conditions do
 * not count: a replica that is not ready, or is being shut down, still has its streams and its record.
 */
export const findPeers = (
  slices: readonly EndpointSliceSpec[],
  { self, adminPort }: { readonly self: string; readonly adminPort: number },
): readonly Peer[] => {
  const peers = new Map<string, Peer>();
  // A pod with addresses of both families is in two slices; which of them is used must not depend on their order.
  for (const { ports, endpoints } of slices.toSorted((a, b) => a.family - b.family)) {
    const port = ports.find(({ name }) => name === adminPortName)?.port ?? adminPort;
    for (const endpoint of endpoints) {
      const host = endpoint.addresses[0];
      if (host === undefined) continue;
      const name = podOf(endpoint) ?? host;
      if (name !== self && !peers.has(name)) peers.set(name, { name, address: { host, port } });
    }
  }
  return [...peers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

const podOf = ({ target }: SliceEndpoint): string | undefined =>
  target?.kind === 'Pod' ? target.name : undefined;
