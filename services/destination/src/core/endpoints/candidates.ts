import { selects } from '@gatehouse/core/label-selector';
import { targetPortOn } from '@gatehouse/core/mesh/named-ports';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { EndpointSliceSpec, SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { type Cluster, zoneOfNode } from '../cluster.ts';
import { facts } from '../facts.ts';
import type { Candidate, Place } from './endpoint.ts';

/** One port of a Service. `reads` collects the facts that were looked at. */
export interface Question {
  readonly service: KubeObject<'Service'>;
  readonly port: number;
  readonly reads: Set<string>;
}

/**
 * The addresses behind one port of a Service. If the Service has EndpointSlices, these are the endpoints that they mark as
 * ready. If it has none, these are the pods that its selector selects and that a slice would mark so: a folder of
 * manifests has no controller that writes slices (design §7).
 */
export const candidatesOf = (cluster: Cluster, question: Question): readonly Candidate[] => {
  const { namespace, name } = question.service.meta;
  question.reads.add(facts.slices(namespace, name));
  const slices = [...cluster.index.in('EndpointSlice', namespace).values()]
    .filter(({ spec }) => spec.service === name)
    // A pod that is moved between slices is in both for a while: the first by name speaks for it.
    .sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1));
  return slices.length > 0
    ? slices.flatMap(({ spec }) => fromSlice(cluster, question, spec))
    : fromPods(cluster, question);
};

const fromSlice = (cluster: Cluster, question: Question, slice: EndpointSliceSpec): readonly Candidate[] => {
  const port = slicePort(question, slice);
  if (port === undefined) return [];
  const candidates: Candidate[] = [];
  for (const endpoint of slice.endpoints) {
    const pod = podOf(cluster, question, endpoint);
    if (!endpoint.ready || pod === 'unknown') continue;
    const nodeName = endpoint.nodeName === '' ? (pod?.spec.nodeName ?? '') : endpoint.nodeName;
    const place: Place = {
      pod: pod?.meta.name ?? '',
      hostname: endpoint.hostname,
      nodeName,
      zone: endpoint.zone === '' ? zoneOfNode(cluster, question.reads, nodeName) : endpoint.zone,
      forZones: endpoint.forZones,
      forNodes: endpoint.forNodes,
    };
    for (const ip of endpoint.addresses) candidates.push({ ip, port, pod, place });
  }
  return candidates;
};

/**
 * The pod behind an endpoint of a slice. One that is not known (yet, or no more) keeps its endpoint out: without the
 * pod it is unknown whether its traffic is encrypted. So does a target of another kind. Without a target it is a bare address.
 */
const podOf = (
  cluster: Cluster,
  { service, reads }: Question,
  { target }: SliceEndpoint,
): KubeObject<'Pod'> | 'unknown' | undefined => {
  if (target === undefined) return undefined;
  const { namespace } = service.meta;
  // A slice counts in its own namespace only: its author cannot give an address the identity of another namespace.
  if (target.kind !== 'Pod' || (target.namespace !== namespace && target.namespace !== '')) return 'unknown';
  reads.add(facts.pod(namespace, target.name));
  const pod = cluster.index.get('Pod', namespace, target.name);
  return pod === undefined || hasEnded(pod.spec) ? 'unknown' : pod;
};

/** Slices carry the port under the name that the Service's port has. */
const slicePort = ({ service, port }: Question, slice: EndpointSliceSpec): number | undefined => {
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared === undefined) return undeclaredPort(service, port);
  return slice.ports.find(({ name }) => name === declared.name)?.port;
};

/** The names of a headless Service are its pods' own addresses, at which any port may be asked for. */
const undeclaredPort = (service: KubeObject<'Service'>, port: number): number | undefined =>
  isHeadless(service) ? port : undefined;

const fromPods = (cluster: Cluster, question: Question): readonly Candidate[] => {
  const { service, reads } = question;
  const { namespace } = service.meta;
  const selector = Object.entries(service.spec.selector ?? {});
  const [pair] = selector;
  if (pair === undefined) return [];
  reads.add(facts.labelled(namespace, ...pair));
  const wanted = { matchLabels: service.spec.selector ?? {}, matchExpressions: [] };
  const candidates: Candidate[] = [];
  for (const pod of cluster.index.in('Pod', namespace).values()) {
    if (!selects(wanted, pod.meta.labels) || !isPublished(pod, service)) continue;
    const port = podPort(question, pod);
    if (port === undefined) continue;
    const { nodeName } = pod.spec;
    const place: Place = {
      pod: pod.meta.name,
      hostname: pod.spec.subdomain === service.meta.name ? pod.spec.hostname : '',
      nodeName,
      zone: zoneOfNode(cluster, reads, nodeName),
      forZones: [],
      forNodes: [],
    };
    for (const ip of ipsFor(pod, service)) candidates.push({ ip, port, pod, place });
  }
  return candidates;
};

/** Whether a slice would mark it as ready: it is and stays so, or it still runs and the Service publishes all. */
const isPublished = (pod: KubeObject<'Pod'>, service: KubeObject<'Service'>): boolean => {
  if (hasEnded(pod.spec)) return false;
  if (service.spec.publishNotReady) return true;
  return pod.spec.phase === 'Running' && pod.spec.ready && pod.meta.deletedAt === undefined;
};

/** A pod without the name that the target port has does not serve the port. */
const podPort = ({ service, port }: Question, pod: KubeObject<'Pod'>): number | undefined => {
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared === undefined) return undeclaredPort(service, port);
  return targetPortOn(pod.spec, declared.targetPort);
};

/** One address per family of the Service; a headless one has the family of the pod's first address, the cluster's own. */
const ipsFor = ({ spec }: KubeObject<'Pod'>, service: KubeObject<'Service'>): readonly string[] => {
  if (isHeadless(service)) return spec.ips.slice(0, 1);
  const families = new Set(service.spec.clusterIps.map(isV6));
  return [...families].flatMap((family) => spec.ips.find((ip) => isV6(ip) === family) ?? []);
};

const isV6 = (ip: string): boolean => ip.includes(':');

const isHeadless = ({ spec }: KubeObject<'Service'>): boolean => spec.clusterIps.length === 0;
