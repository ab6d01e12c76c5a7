import { selects } from '@gatehouse/core/label-selector';
import { targetPortOn } from '@gatehouse/core/mesh/named-ports';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Cluster } from '../cluster.ts';
import type { Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoint-set.ts';

/** What a person would have expected among the endpoints that a client is given, and why it is not there. */
export interface LeftOut {
  /** Empty for an address that no pod stands behind. */
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

/** Everything that the Service selects or lists and `given` does not have, by pod and address. For people; no proxy waits for it. */
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
  return [...farther, ...unpublished(cluster, asked, known)];
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
  const { meta, spec } = asked.service;
  const selector = spec.selector ?? {};
  // An empty selector selects nothing: its slices have another author than Kubernetes.
  if (Object.keys(selector).length === 0) return [];
  const wanted = { matchLabels: selector, matchExpressions: [] };
  return [...index.in('Pod', meta.namespace).values()]
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
