import { type IpAddress, printIp, readIp } from '@gatehouse/core/ip-network';
import type { Labels } from '@gatehouse/core/label-selector';
import {
  type AddressHolder,
  addressHolder,
  type NamedClaimants,
  nameClaimants,
} from '@gatehouse/core/mesh/address-holder';
import { unreadAsClient } from '@gatehouse/core/mesh/unread-pod';
import { hasEnded, isMeshed } from '@gatehouse/core/mesh/workload';
import { identityOf, type Mesh, type WorkloadIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';

/**
 * Who can call, as far as the index has seen: everything that label sources depend on. Built whole from pods and
 * namespaces in time linear in their number, so that an address's removal and its reuse are always seen together.
 */
export interface MeshView {
  readonly mesh: Mesh;
  /** Labels of the namespaces that exist, by name; without those whose labels cannot be read. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Pods that may still run, by namespace; without those of which nobody can say who they are, or that go without a proxy. */
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
  | {
      readonly kind: 'meshed';
      readonly identity: WorkloadIdentity;
      readonly addresses: readonly IpAddress[];
      readonly contested: readonly ContestedAddress[];
    }
  | { readonly kind: 'unmeshed' }
  /** It shares its node's address with whatever else runs there. */
  | { readonly kind: 'host-network' };

/** The API server puts this label on every namespace; a manifest in a folder may lack it. */
const nameLabel = 'kubernetes.io/metadata.name';

type Pod = KubeObject<'Pod'>;

/** An address that other pods have too, so that none of them is recognised by it. */
export interface ContestedAddress extends NamedClaimants {
  readonly ip: IpAddress;
}

export const meshViewOf = (seen: {
  readonly mesh: Mesh;
  readonly pods: Iterable<Pod>;
  readonly namespaces: Iterable<KubeObject<'Namespace'>>;
}): MeshView => {
  const pods = [...seen.pods].map(located);
  const holders = holdersOf(pods);
  const callers = new Map<string, Caller[]>();
  for (const one of pods) {
    if (hasEnded(one.pod.spec) || unreadAsClient(one.pod).length > 0) continue;
    const { namespace, name, labels, deletedAt } = one.pod.meta;
    const standing = standingOf(one, holders, seen.mesh);
    // What a rollout leaves behind when injection was enabled: nothing recognises it, and nothing but time helps.
    if (standing.kind !== 'meshed' && deletedAt !== undefined) continue;
    const caller = { namespace, name, labels, standing };
    const others = callers.get(namespace);
    if (others === undefined) callers.set(namespace, [caller]);
    else others.push(caller);
  }
  const namespaces = new Map<string, Labels>();
  for (const { meta } of seen.namespaces) {
    // Labels that nobody can read are no reason to admit its pods.
    if (meta.unreadTexts?.includes('labels')) continue;
    namespaces.set(meta.name, { ...meta.labels, [nameLabel]: meta.name });
  }
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
  holders: ReadonlyMap<string, AddressHolder>,
  mesh: Mesh,
): Standing => {
  if (pod.spec.hostNetwork) return { kind: 'host-network' };
  if (!isMeshed(pod.meta, mesh)) return { kind: 'unmeshed' };
  const own: IpAddress[] = [];
  const contested: ContestedAddress[] = [];
  for (const { ip, text } of addresses) {
    const holder = holders.get(text);
    if (holder?.kind === 'pod' && holder.pod === pod) own.push(ip);
    else if (holder?.kind === 'contested') contested.push({ ip, ...nameClaimants(holder.claimants) });
  }
  const identity = identityOf(mesh, pod.meta.namespace, pod.spec.serviceAccount);
  return { kind: 'meshed', identity, addresses: own, contested };
};

/** No table may hold an address for two pods: whose each is. */
const holdersOf = (pods: readonly Located[]): ReadonlyMap<string, AddressHolder> => {
  const claimants = new Map<string, Pod[]>();
  for (const { pod, addresses } of pods) {
    for (const { text } of addresses) {
      const known = claimants.get(text);
      if (known === undefined) claimants.set(text, [pod]);
      else if (known.at(-1) !== pod) known.push(pod);
    }
  }
  return new Map(Array.from(claimants, ([text, all]) => [text, addressHolder(all)]));
};
