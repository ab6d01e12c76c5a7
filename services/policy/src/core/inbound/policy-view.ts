import { type IpAddress, printIp, readIp } from '@gatehouse/core/ip-network';
import type { Labels } from '@gatehouse/core/label-selector';
import { hasEnded, isMeshed } from '@gatehouse/core/mesh/workload';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';

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

/** The API server puts this label on every namespace; a manifest in a folder may lack it. */
const nameLabel = 'kubernetes.io/metadata.name';

type Pod = KubeObject<'Pod'>;

export const worldOf = (seen: {
  readonly mesh: Mesh;
  readonly pods: Iterable<Pod>;
  readonly namespaces: Iterable<KubeObject<'Namespace'>>;
}): World => {
  const pods = [...seen.pods].map(located);
  const holders = addressHolders(pods);
  const callers = new Map<string, Caller[]>();
  for (const one of pods) {
    if (hasEnded(one.pod.spec)) continue;
    const { namespace, name, labels } = one.pod.meta;
    const caller = { namespace, name, labels, standing: standingOf(one, holders, seen.mesh) };
    const others = callers.get(namespace);
    if (others === undefined) callers.set(namespace, [caller]);
    else others.push(caller);
  }
  const namespaces = new Map<string, Labels>();
  for (const { meta } of seen.namespaces)
    namespaces.set(meta.name, { ...meta.labels, [nameLabel]: meta.name });
  return { mesh: seen.mesh, namespaces, callers };
};

/** A pod with its addresses as read, each beside the one text that all its spellings share. */
interface Located {
  readonly pod: Pod;
  readonly addresses: readonly { readonly ip: IpAddress; readonly text: string }[];
}

const located = (pod: Pod): Located => ({
  pod,
  addresses: pod.spec.ips.flatMap((text) => {
    const ip = readIp(text);
    if (ip === undefined) return [];
    // IPv4 has one spelling, and most addresses are of it.
    return [{ ip, text: text.includes(':') ? printIp(ip) : text }];
  }),
});

const standingOf = (
  { pod, addresses }: Located,
  holders: ReadonlyMap<string, Holder>,
  mesh: Mesh,
): Standing => {
  if (pod.spec.hostNetwork) return { kind: 'host-network' };
  if (!isMeshed(pod.meta, mesh)) return { kind: 'unmeshed' };
  return {
    kind: 'meshed',
    identity: printIdentity(identityOf(mesh, pod.meta.namespace, pod.spec.serviceAccount)),
    addresses: addresses.flatMap(({ ip, text }) => (holders.get(text)?.pod === pod ? [ip] : [])),
  };
};

/** Whose an address is; undefined = nobody's. `age` is that of the newest pod that was seen with it. */
interface Holder {
  readonly pod: Pod | undefined;
  readonly age: number;
}

/**
 * Which pod each address belongs to: the newest that was seen with it, even if that one has ended since. Where two are
 * equally new the one that still runs has it, and if both do nobody has: no table may hold an address for two pods.
 */
const addressHolders = (pods: readonly Located[]): ReadonlyMap<string, Holder> => {
  const holders = new Map<string, Holder>();
  for (const { pod, addresses } of pods) {
    // An address that any pod shares with its node is no pod's own, however old that pod is.
    const holder = pod.spec.hostNetwork
      ? { pod: undefined, age: Number.POSITIVE_INFINITY }
      : { pod, age: pod.meta.createdAt };
    for (const { text } of addresses) {
      const known = holders.get(text);
      if (known === undefined || holder.age > known.age) holders.set(text, holder);
      else if (holder.age === known.age && !hasEnded(pod.spec))
        holders.set(text, { ...holder, pod: between(pod, known.pod) });
    }
  }
  return holders;
};

/** Of a pod that runs and an equally new one that holds its address. */
const between = (pod: Pod, other: Pod | undefined): Pod | undefined =>
  other !== undefined && (other === pod || hasEnded(other.spec)) ? pod : undefined;
