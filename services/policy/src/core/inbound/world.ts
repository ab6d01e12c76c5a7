import { type IpAddress, printIp, readIp } from '@gatehouse/shared/core/ip-network';
import type { Labels } from '@gatehouse/shared/core/label-selector';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/shared/core/workload-identity';
import type { KubeObject } from '@gatehouse/shared/kube/kinds';

/**
 * Who can call, as far as the index has seen: everything that label sources depend on. Built whole from pods and
 * namespaces in time linear in their number, so that an address's removal and its reuse are always seen together.
 */
export interface World {
  readonly mesh: Mesh;
  /** Labels of the namespaces that exist, by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Pods that may still run, by namespace. */
  readonly callers: ReadonlyMap<string, readonly Caller[]>;
}

export interface Caller {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly standing: Standing;
}

/** Whether a pod can be recognised: by an identity and by addresses that are surely its own. */
export type Standing =
  | { readonly kind: 'meshed'; readonly identity: string; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'unmeshed' }
  /** It shares its node's address with whatever else runs there. */
  | { readonly kind: 'host-network' };

/** The label that says which control plane's proxy a pod has (design §3). */
export const meshLabel = 'linkerd.io/control-plane-ns';

/** The API server puts this label on every namespace; a manifest in a folder may lack it. */
const nameLabel = 'kubernetes.io/metadata.name';

type Pod = KubeObject<'Pod'>;

export const worldOf = (seen: {
  readonly mesh: Mesh;
  readonly pods: Iterable<Pod>;
  readonly namespaces: Iterable<KubeObject<'Namespace'>>;
}): World => {
  const pods = [...seen.pods];
  const holders = addressHolders(pods);
  const callers = new Map<string, Caller[]>();
  for (const pod of pods) {
    if (hasEnded(pod)) continue;
    const { namespace, name, labels } = pod.meta;
    const caller = { namespace, name, labels, standing: standingOf(pod, holders, seen.mesh) };
    const others = callers.get(namespace);
    if (others === undefined) callers.set(namespace, [caller]);
    else others.push(caller);
  }
  const namespaces = new Map<string, Labels>();
  for (const { meta } of seen.namespaces)
    namespaces.set(meta.name, { ...meta.labels, [nameLabel]: meta.name });
  return { mesh: seen.mesh, namespaces, callers };
};

/** A terminating pod that still runs keeps its grants: draining pods call. */
const hasEnded = ({ spec }: Pod): boolean =>
  spec.phase === 'Succeeded' || spec.phase === 'Failed' || spec.terminated;

const standingOf = (pod: Pod, holders: ReadonlyMap<string, Pod | 'nobody'>, mesh: Mesh): Standing => {
  if (pod.spec.hostNetwork) return { kind: 'host-network' };
  if (pod.meta.labels[meshLabel] !== mesh.controlPlaneNamespace) return { kind: 'unmeshed' };
  const addresses = pod.spec.ips.flatMap((text) => {
    const ip = readIp(text);
    return ip !== undefined && holders.get(printIp(ip)) === pod ? [ip] : [];
  });
  const identity = printIdentity(identityOf(mesh, pod.meta.namespace, pod.spec.serviceAccount));
  return { kind: 'meshed', identity, addresses };
};

/**
 * Which pod each address belongs to: the newest that was seen with it, even if that one has ended since. Where two are
 * equally new the one that still runs has it, and if both do nobody has: no table may hold an address for two pods.
 */
const addressHolders = (pods: readonly Pod[]): ReadonlyMap<string, Pod | 'nobody'> => {
  const holders = new Map<string, Pod | 'nobody'>();
  const newest = new Map<string, number>();
  for (const pod of pods) {
    for (const text of pod.spec.ips) {
      const ip = readIp(text);
      if (ip === undefined) continue;
      const address = printIp(ip);
      // An address that any pod shares with its node is no pod's own, however old that pod is.
      const age = pod.spec.hostNetwork ? Number.POSITIVE_INFINITY : pod.meta.createdAt;
      const known = newest.get(address);
      if (known === undefined || age > known) {
        newest.set(address, age);
        holders.set(address, pod.spec.hostNetwork ? 'nobody' : pod);
      } else if (age === known && !hasEnded(pod)) {
        const holder = holders.get(address);
        const vacant = holder !== undefined && holder !== 'nobody' && (holder === pod || hasEnded(holder));
        holders.set(address, vacant ? pod : 'nobody');
      }
    }
  }
  return holders;
};
