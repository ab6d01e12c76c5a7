import { isV6 } from '@gatehouse/core/ip-network';
import { selects } from '@gatehouse/core/label-selector';
import { targetPortOn } from '@gatehouse/core/mesh/named-ports';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type Cluster, zoneOfNode } from '../cluster.ts';
import { facts } from '../facts.ts';
import type { Question } from './candidates.ts';
import { type Candidate, type Place, type Workload, workloadName } from './endpoint.ts';
import { externalIdentity } from './external-workload.ts';
import { isHeadless, undeclaredPort } from './service-port.ts';
import { selectorOf } from './service-selector.ts';

/** What EndpointSlices would hold of a Service that has none, where no controller writes any, as in a folder of manifests. */
export const derivedCandidates = (cluster: Cluster, question: Question): readonly Candidate[] => {
  const { service, reads } = question;
  const { namespace } = service.meta;
  const wanted = selectorOf(service);
  const [pair] = Object.entries(wanted?.matchLabels ?? {});
  if (wanted === undefined || pair === undefined) return [];
  reads.add(facts.labelled(namespace, ...pair));
  const workloads: readonly Workload[] = [
    ...cluster.index.in('Pod', namespace).values(),
    ...cluster.index.in('ExternalWorkload', namespace).values(),
  ];
  return workloads
    .filter((workload) => selects(wanted, workload.meta.labels) && isPublished(workload, service))
    .flatMap((workload) => candidatesFor(cluster, question, workload));
};

const candidatesFor = (cluster: Cluster, question: Question, workload: Workload): readonly Candidate[] => {
  const { service, reads } = question;
  const port = portOf(question, workload);
  if (port === undefined) return [];
  const [nodeName, hostname] =
    workload.kind === 'Pod'
      ? [workload.spec.nodeName, workload.spec.subdomain === service.meta.name ? workload.spec.hostname : '']
      : ['', ''];
  const place: Place = {
    workload: workloadName(workload),
    hostname,
    nodeName,
    zone: zoneOfNode(cluster, reads, nodeName),
    forZones: [],
    forNodes: [],
  };
  return ipsFor(workload, service).map((ip) => ({ ip, port, workload, place }));
};

/** Whether a slice would mark it as ready: it is and stays so, or it still runs and the Service publishes all. */
const isPublished = (workload: Workload, service: KubeObject<'Service'>): boolean => {
  if (workload.kind === 'ExternalWorkload')
    return workload.spec.ready && externalIdentity(workload.spec) !== undefined;
  if (hasEnded(workload.spec)) return false;
  if (service.spec.publishNotReady) return true;
  return workload.spec.phase === 'Running' && workload.spec.ready && workload.meta.deletedAt === undefined;
};

/** A workload without the name that the target port has does not serve the port. */
const portOf = ({ service, port }: Question, { spec }: Workload): number | undefined => {
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared === undefined) return undeclaredPort(service, port);
  return targetPortOn(spec, declared.targetPort);
};

/** One address per family of the Service; a headless one has the family of the workload's first address, the cluster's own. */
const ipsFor = ({ spec }: Workload, service: KubeObject<'Service'>): readonly string[] => {
  if (isHeadless(service)) return spec.ips.slice(0, 1);
  const families = new Set(service.spec.clusterIps.map(isV6));
  return [...families].flatMap((family) => spec.ips.find((ip) => isV6(ip) === family) ?? []);
};
