import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { EndpointSliceSpec, SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import { type Cluster, zoneOfNode } from '../cluster.ts';
import { facts } from '../facts.ts';
import { derivedCandidates } from './derived-candidates.ts';
import { type Candidate, type Place, type Workload, workloadName } from './endpoint.ts';
import { externalIdentity } from './external-workload.ts';
import { undeclaredPort } from './service-port.ts';

/** One port of a Service. `reads` collects the facts that were looked at. */
export interface Question {
  readonly service: KubeObject<'Service'>;
  readonly port: number;
  readonly reads: Set<string>;
}

/**
 * The addresses behind one port of a Service: the endpoints that its EndpointSlices mark as ready. If it has none and no
 * controller writes any, these are the workloads that its selector selects and that a slice would mark so (design §7).
 */
export const candidatesOf = (cluster: Cluster, question: Question): readonly Candidate[] => {
  const slices = slicesOf(cluster, question);
  if (slices.length === 0 && cluster.settings.slices === 'derived')
    return derivedCandidates(cluster, question);
  return slices.flatMap(({ spec }) => {
    const port = slicePort(question, spec);
    if (port === undefined) return [];
    return spec.endpoints
      .filter(({ ready }) => ready)
      .flatMap((endpoint) => fromEndpoint(cluster, question, { endpoint, port }));
  });
};

/**
 * What has a hostname in a Service, ready or not, at the port that was asked for: a client that names an instance means that
 * one, and the instance may wait for this client to become ready. Without a mesh its name is its address, at which no port is mapped.
 */
export const instanceCandidates = (
  cluster: Cluster,
  question: Question,
  instance: string,
): readonly Candidate[] => {
  const slices = slicesOf(cluster, question);
  if (slices.length === 0 && cluster.settings.slices === 'derived')
    return derivedCandidates(cluster, question)
      .filter(({ place }) => place.hostname === instance)
      .map((candidate) => ({ ...candidate, port: question.port }));
  return slices.flatMap(({ spec }) =>
    spec.endpoints
      .filter(({ hostname }) => hostname === instance)
      .flatMap((endpoint) => fromEndpoint(cluster, question, { endpoint, port: question.port })),
  );
};

const slicesOf = (cluster: Cluster, { service, reads }: Question): readonly KubeObject<'EndpointSlice'>[] => {
  const { namespace, name } = service.meta;
  reads.add(facts.slices(namespace, name));
  return (
    [...cluster.index.in('EndpointSlice', namespace).values()]
      .filter(({ spec }) => spec.service === name)
      // A pod that is moved between slices is in both for a while: the first by name speaks for it.
      .sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1))
  );
};

const fromEndpoint = (
  cluster: Cluster,
  question: Question,
  { endpoint, port }: { readonly endpoint: SliceEndpoint; readonly port: number },
): readonly Candidate[] => {
  const workload = workloadOf(cluster, question, endpoint);
  if (workload === 'unknown') return [];
  const nodeName =
    endpoint.nodeName === '' && workload?.kind === 'Pod' ? workload.spec.nodeName : endpoint.nodeName;
  const place: Place = {
    workload: workloadName(workload),
    hostname: endpoint.hostname,
    nodeName,
    zone: endpoint.zone === '' ? zoneOfNode(cluster, question.reads, nodeName) : endpoint.zone,
    forZones: endpoint.forZones,
    forNodes: endpoint.forNodes,
  };
  return endpoint.addresses.map((ip) => ({ ip, port, workload, place }));
};

/**
 * The workload behind an endpoint of a slice; undefined for a bare address: without a target, or with one that is not a workload,
 * such as a Node. A workload that is not known (yet, or no more) keeps its endpoint out: without it, it is not known whether
 * its traffic is encrypted. So does an ExternalWorkload without a usable identity.
 */
const workloadOf = (
  cluster: Cluster,
  { service, reads }: Question,
  { target }: SliceEndpoint,
): Workload | 'unknown' | undefined => {
  if (target?.kind !== 'Pod' && target?.kind !== 'ExternalWorkload') return undefined;
  const { namespace } = service.meta;
  // A slice counts in its own namespace only: its author cannot give an address the identity of another namespace.
  if (target.namespace !== namespace && target.namespace !== '') return 'unknown';
  switch (target.kind) {
    case 'Pod': {
      reads.add(facts.pod(namespace, target.name));
      const pod = cluster.index.get('Pod', namespace, target.name);
      return pod === undefined || hasEnded(pod.spec) ? 'unknown' : pod;
    }
    case 'ExternalWorkload': {
      reads.add(facts.externalWorkload(namespace, target.name));
      const workload = cluster.index.get('ExternalWorkload', namespace, target.name);
      return workload === undefined || externalIdentity(workload.spec) === undefined ? 'unknown' : workload;
    }
  }
};

/** Slices carry the port under the name that the Service's port has. */
const slicePort = ({ service, port }: Question, slice: EndpointSliceSpec): number | undefined => {
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared === undefined) return undeclaredPort(service, port);
  return slice.ports.find(({ name }) => name === declared.name)?.port;
};
