import type { Compiled } from '@gatehouse/core/dependency/answers';
import { nameClaimants } from '@gatehouse/core/mesh/address-holder';
import { isOpaquePort, isOpaqueServicePort } from '@gatehouse/core/mesh/opaque-port';
import type { AddressAuthority, Authority, ServiceAuthority } from '@gatehouse/core/mesh/service-authority';
import { hasPort } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type Cluster, serversIn, zoneOfNode } from '../cluster.ts';
import { atProxy, type Candidate, type Endpoint, endpointOf } from '../endpoints/endpoint.ts';
import { compileEndpointSet } from '../endpoints/endpoint-set.ts';
import { preferV6 } from '../endpoints/filter.ts';
import { facts } from '../facts.ts';

/** What GetProfile says of a target (semantics §3.1, §3.6). */
export type Profile =
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
      readonly opaque: boolean;
    }
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly opaque: boolean }
  /** An address nobody here has: traffic goes where the application sent it. */
  | { readonly kind: 'unknown-address'; readonly opaque: boolean }
  /** An address that several pods claim: it is not known which identity to demand there, so nothing else is said. */
  | {
      readonly kind: 'contested-address';
      /** The first of them, as `namespace/name`. */
      readonly claimants: readonly string[];
      readonly count: number;
      readonly opaque: boolean;
    }
  /** Nothing to say; some reasons are an error to a new call. */
  | { readonly kind: 'nothing'; readonly reason: NoProfile };

export type NoProfile = 'no-service' | 'no-instance' | 'no-port' | 'external-name';

export const compileProfile = (
  cluster: Cluster,
  target: Authority,
  previous?: Profile,
): Compiled<Profile> => {
  const reads = new Set<string>();
  const question: Question = { cluster, reads, previous };
  const value = target.kind === 'address' ? ofAddress(question, target) : ofName(question, target);
  return { value: previous !== undefined && isSame(previous, value) ? previous : value, reads };
};

const isSame = (a: Profile, b: Profile): boolean => {
  if (a.kind === 'endpoint')
    return b.kind === 'endpoint' && a.endpoint === b.endpoint && a.opaque === b.opaque;
  return b.kind !== 'endpoint' && JSON.stringify(a) === JSON.stringify(b);
};

interface Question {
  readonly cluster: Cluster;
  readonly reads: Set<string>;
  readonly previous: Profile | undefined;
}

const ofAddress = (question: Question, { ip, port }: AddressAuthority): Profile => {
  const { cluster, reads } = question;
  reads.add(facts.address(ip));
  const service = cluster.addresses.service(ip);
  if (service !== undefined) {
    reads.add(facts.service(service.meta.namespace, service.meta.name));
    return ofService(cluster, service, port);
  }
  const onNetwork = cluster.addresses.pod(ip);
  if (onNetwork.kind === 'pod') return ofPod(question, onNetwork.pod, { ip, port });
  const holder = onNetwork.kind === 'contested' ? onNetwork : cluster.addresses.podAtHostPort(ip, port);
  switch (holder.kind) {
    case 'pod':
      return ofHostPort(question, holder.pod, { ip, port });
    case 'contested':
      return { ...unknown(question, port), kind: 'contested-address', ...nameClaimants(holder.claimants) };
    case 'nobody':
      return unknown(question, port);
  }
};

const unknown = ({ cluster }: Question, port: number) => ({
  kind: 'unknown-address' as const,
  opaque: hasPort(cluster.settings.defaultOpaquePorts, port),
});

const ofName = (question: Question, target: ServiceAuthority): Profile => {
  const { cluster, reads } = question;
  const { namespace, name, port, instance } = target;
  reads.add(facts.service(namespace, name));
  const service = cluster.index.get('Service', namespace, name);
  if (service === undefined) return { kind: 'nothing', reason: 'no-service' };
  if (service.spec.type === 'ExternalName') return { kind: 'nothing', reason: 'external-name' };
  return instance === undefined ? ofService(cluster, service, port) : ofInstance(question, target);
};

const ofService = (cluster: Cluster, service: KubeObject<'Service'>, port: number): Profile => {
  // An empty profile makes the proxy go by its policy alone; a name would make it ask for endpoints of such a port.
  if (!service.spec.ports.some((declared) => declared.port === port))
    return { kind: 'nothing', reason: 'no-port' };
  const { namespace, name } = service.meta;
  const opaque = isOpaqueServicePort(service, port, cluster.settings.defaultOpaquePorts);
  return { kind: 'service', namespace, name, port, opaque };
};

/** The pod that has this hostname in the Service: the one that Get gives for the same name. */
const ofInstance = (question: Question, target: ServiceAuthority): Profile => {
  const { value: set, reads } = compileEndpointSet(question.cluster, target);
  for (const fact of reads) question.reads.add(fact);
  const [endpoint] = set.kind === 'endpoints' ? preferV6(set.endpoints) : [];
  if (endpoint === undefined) return { kind: 'nothing', reason: 'no-instance' };
  const { ip, port } = endpoint.seenAs.unknown.shown;
  const pod = question.cluster.index.get('Pod', target.namespace, endpoint.place.pod);
  return ofCandidate(question, { ip, port, pod, place: endpoint.place }, target.namespace);
};

const ofPod = (
  question: Question,
  pod: KubeObject<'Pod'>,
  { ip, port }: { readonly ip: string; readonly port: number },
): Profile => {
  // It takes no new connections: they go where the application sent them.
  if (pod.meta.deletedAt !== undefined) return unknown(question, port);
  const { nodeName, hostname } = pod.spec;
  const zone = zoneOfNode(question.cluster, question.reads, nodeName);
  const place = { pod: pod.meta.name, hostname, nodeName, zone, forZones: [], forNodes: [] };
  return ofCandidate(question, { ip, port, pod, place }, pod.meta.namespace);
};

/** The pod's own address and port: a proxy that was told the host's would look for the pod's proxy on the host. */
const ofHostPort = (
  question: Question,
  pod: KubeObject<'Pod'>,
  { ip, port }: { readonly ip: string; readonly port: number },
): Profile => {
  const { ips, ports } = pod.spec;
  const mapped = ports.find(({ hostPort, init }) => hostPort === port && init === undefined);
  const address = ips.find((candidate) => candidate.includes(':') === ip.includes(':')) ?? ips[0];
  return mapped === undefined || address === undefined
    ? unknown(question, port)
    : ofPod(question, pod, { ip: address, port: mapped.port });
};

const ofCandidate = (question: Question, found: Candidate, namespace: string): Profile => {
  const { mesh, defaultOpaquePorts } = question.cluster.settings;
  const candidate = atProxy(found, mesh);
  const servers = serversIn(question.cluster, question.reads, namespace);
  const before = question.previous?.kind === 'endpoint' ? question.previous.endpoint : undefined;
  // A balancer learns the namespace from the set; an endpoint alone has to say it.
  const known = { mesh, defaultOpaquePorts, servers, labels: { namespace } };
  return {
    kind: 'endpoint',
    endpoint: endpointOf(candidate, known, before),
    opaque:
      candidate.pod === undefined
        ? hasPort(defaultOpaquePorts, candidate.port)
        : isOpaquePort(candidate.pod, candidate.port, { servers, defaults: defaultOpaquePorts }),
  };
};
