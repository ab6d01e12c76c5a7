import { selects } from '@gatehouse/core/label-selector';
import { targetPortOn } from '@gatehouse/core/mesh/named-ports';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import type { Cluster } from '../cluster.ts';
import { type Endpoint, targetName } from './endpoint.ts';
import type { Endpoints } from './endpoint-set.ts';
import { externalIdentity } from './external-workload.ts';
import { selectorOf } from './service-selector.ts';

/** What a person would have expected among the endpoints that a client is given, and why it is not there. */
export interface LeftOut {
  /** The pod's name, or `externalworkload/NAME`; empty for an address that nothing known stands behind. */
  readonly pod: string;
  /** Empty for a pod without one. */
  readonly address: string;
  readonly why: string;
}

/** The port of a Service that was asked for. */
export interface AskedPort {
  readonly service: KubeObject<'Service'>;
  readonly port: number;
}

/** Everything that the Service selects or lists and `given` does not have, by workload and address. For people; no proxy waits for it. */
export const leftOut = (
  cluster: Cluster,
  asked: AskedPort,
  { set, given }: { readonly set: Endpoints; readonly given: readonly Endpoint[] },
): readonly LeftOut[] => {
  const isGiven = new Set(given);
  const farther = set.endpoints
    .filter((endpoint) => !isGiven.has(endpoint))
    .map(({ place, seenAs }) => ({
      pod: place.workload,
      address: seenAs.unknown.shown.ip,
      why: whyNotNear(set),
    }));
  const known = new Set(set.endpoints.map(({ place }) => place.workload));
  const pods = unpublished(cluster, asked, known);
  const told = new Set([...known, ...pods.map(({ pod }) => pod)]);
  return [...farther, ...pods, ...listed(cluster, asked, told)];
};

const whyNotNear = ({ rules }: Endpoints): string =>
  rules.local
    ? 'it is not on the node of the client, and the Service has internalTrafficPolicy: Local'
    : 'others are nearer to the client, or the same pod by another address';

const unpublished = (
  { index }: Cluster,
  asked: AskedPort,
  known: ReadonlySet<string>,
): readonly LeftOut[] => {
  const wanted = selectorOf(asked.service);
  if (wanted === undefined) return [];
  return [...index.in('Pod', asked.service.meta.namespace).values()]
    .filter((pod) => selects(wanted, pod.meta.labels) && !known.has(pod.meta.name))
    .map((pod) => ({
      pod: pod.meta.name,
      address: pod.spec.ips[0] ?? '',
      why: whyUnpublished(pod, asked),
    }))
    .sort((a, b) => (a.pod < b.pod ? -1 : 1));
};

/** In the order in which Kubernetes would say it; the last is true while its controllers are behind. */
const whyUnpublished = ({ meta, spec }: KubeObject<'Pod'>, { service, port }: AskedPort): string => {
  if (hasEnded(spec)) return 'it has ended';
  if (spec.ips.length === 0) return 'it has no address';
  if (!service.spec.publishNotReady) {
    if (meta.deletedAt !== undefined) return 'it is terminating';
    if (spec.phase !== 'Running') return `it is ${spec.phase}`;
    if (!spec.ready) return 'it is not ready';
  }
  const declared = service.spec.ports.find((candidate) => candidate.port === port);
  if (declared !== undefined && targetPortOn(spec, declared.targetPort) === undefined)
    return `none of its containers has a port named ${declared.targetPort}`;
  return 'no EndpointSlice of the Service has it with this port';
};

/** What the Service's slices list beside the pods that it selects: ExternalWorkloads, pods of other authors, bare addresses. */
const listed = (cluster: Cluster, { service }: AskedPort, told: ReadonlySet<string>): readonly LeftOut[] => {
  const { namespace, name } = service.meta;
  const endpoints = [...cluster.index.in('EndpointSlice', namespace).values()]
    .filter(({ spec }) => spec.service === name)
    .flatMap(({ spec }) => spec.endpoints);
  return endpoints.flatMap((endpoint): readonly LeftOut[] => {
    const workload = namedBy(endpoint);
    const why =
      told.has(workload) && workload !== '' ? undefined : whyNotListed(cluster, namespace, endpoint);
    return why === undefined ? [] : [{ pod: workload, address: endpoint.addresses[0] ?? '', why }];
  });
};

const namedBy = ({ target }: SliceEndpoint): string =>
  target?.kind === 'Pod' || target?.kind === 'ExternalWorkload' ? targetName(target.kind, target.name) : '';

/** Undefined for one that is given, or would be but for the port. */
const whyNotListed = (
  { index }: Cluster,
  namespace: string,
  { target, ready }: SliceEndpoint,
): string | undefined => {
  if (!ready) return 'its EndpointSlice says that it is not ready';
  if (target?.kind !== 'Pod' && target?.kind !== 'ExternalWorkload') return undefined;
  if (target.namespace !== namespace && target.namespace !== '')
    return `its EndpointSlice names a workload of the namespace ${target.namespace}`;
  if (target.kind === 'Pod') {
    const pod = index.get('Pod', namespace, target.name);
    if (pod === undefined) return `the pod ${namespace}/${target.name} is not found`;
    return hasEnded(pod.spec) ? 'it has ended' : undefined;
  }
  const external = index.get('ExternalWorkload', namespace, target.name);
  if (external === undefined) return `the ExternalWorkload ${namespace}/${target.name} is not found`;
  return externalIdentity(external.spec) === undefined
    ? 'its meshTLS has no identity or server name that proxies can demand'
    : undefined;
};
