import type { Compiled } from '@gatehouse/core/dependency/answers';
import { isV6 } from '@gatehouse/core/ip-network';
import { nameClaimants } from '@gatehouse/core/mesh/address-holder';
import { isOpaquePort, isOpaqueServicePort } from '@gatehouse/core/mesh/opaque-port';
import type { AddressAuthority, Authority, ServiceAuthority } from '@gatehouse/core/mesh/service-authority';
import { hasPort } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type Cluster, serversIn, zoneOfNode } from '../cluster.ts';
import { instanceCandidates } from '../endpoints/candidates.ts';
import { atProxy, type Candidate, type Endpoint, endpointOf, workloadName } from '../endpoints/endpoint.ts';
import { externalIdentity } from '../endpoints/external-workload.ts';
import { facts } from '../facts.ts';
import { isSameRouting, type Routing, routingOf } from './routing.ts';

/** What GetProfile says of a target (semantics §3.1, §3.6). */
export type Profile =
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
      readonly opaque: boolean;
      readonly routing: Routing;
    }
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly opaque: boolean }
  /** An address nobody here has: traffic goes where the application sent it. */
  | { readonly kind: 'unknown-address'; readonly opaque: boolean }
  /** An address that several pods or ExternalWorkloads claim: it is not known which identity to demand there, so nothing else is said. */
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

export interface ProfileQuestion {
  readonly target: Authority;
  /** The namespace that the client says it is in, whose ServiceProfiles go first; '' where it says none. */
  readonly clientNamespace: string;
}

export const compileProfile = (
  cluster: Cluster,
  { target, clientNamespace }: ProfileQuestion,
  previous?: Profile,
): Compiled<Profile> => {
  const reads = new Set<string>();
  const question: Question = { cluster, reads, previous, clientNamespace };
  const value = target.kind === 'address' ? ofAddress(question, target) : ofName(question, target);
  return { value: previous !== undefined && isSame(previous, value) ? previous : value, reads };
};

const isSame = (a: Profile, b: Profile): boolean => {
  if (a.kind === 'endpoint')
    return b.kind === 'endpoint' && a.endpoint === b.endpoint && a.opaque === b.opaque;
  if (a.kind === 'service')
    return (
      b.kind === 'service' &&
      a.namespace === b.namespace &&
      a.name === b.name &&
      a.port === b.port &&
      a.opaque === b.opaque &&
      isSameRouting(a.routing, b.routing)
    );
  return JSON.stringify(a) === JSON.stringify(b);
};

interface Question {
  readonly cluster: Cluster;
  readonly reads: Set<string>;
  readonly previous: Profile | undefined;
  readonly clientNamespace: string;
}

const ofAddress = (question: Question, { ip, port }: AddressAuthority): Profile => {
  const { cluster, reads } = question;
  reads.add(facts.address(ip));
  const service = cluster.addresses.service(ip);
  if (service !== undefined) {
    reads.add(facts.service(service.meta.namespace, service.meta.name));
    return ofService(question, service, port);
  }
  const onNetwork = cluster.addresses.pod(ip);
  if (onNetwork.kind === 'pod') return ofPod(question, onNetwork.pod, { ip, port });
  if (onNetwork.kind === 'contested') return ofContested(question, onNetwork.claimants, port);
  const onHost = cluster.addresses.podAtHostPort(ip, port);
  switch (onHost.kind) {
    case 'pod':
      return ofHostPort(question, onHost.pod, { ip, port });
    case 'contested':
      return ofContested(question, onHost.claimants, port);
    case 'nobody':
      return ofExternalAddress(question, { ip, port });
  }
};

const ofContested = (question: Question, claimants: readonly KubeObject[], port: number): Profile => ({
  ...unknown(question, port),
  kind: 'contested-address',
  ...nameClaimants(claimants),
});

const ofExternalAddress = (
  question: Question,
  { ip, port }: { readonly ip: string; readonly port: number },
): Profile => {
  const holder = question.cluster.addresses.externalWorkload(ip, port);
  switch (holder.kind) {
    case 'external-workload': {
      const { workload } = holder;
      if (externalIdentity(workload.spec) === undefined) return unknown(question, port);
      const place = { ...nowhere, workload: workloadName(workload) };
      return ofCandidate(question, { ip, port, workload, place }, workload.meta.namespace);
    }
    case 'contested':
      return ofContested(question, holder.claimants, port);
    case 'nobody':
      return unknown(question, port);
  }
};

const nowhere = { workload: '', hostname: '', nodeName: '', zone: '', forZones: [], forNodes: [] };

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
  return instance === undefined
    ? ofService(question, service, port)
    : ofInstance(question, service, { instance, port });
};

const ofService = (
  { cluster, reads, clientNamespace }: Question,
  service: KubeObject<'Service'>,
  port: number,
): Profile => {
  // An empty profile makes the proxy go by its policy alone; a name would make it ask for endpoints of such a port.
  if (!service.spec.ports.some((declared) => declared.port === port))
    return { kind: 'nothing', reason: 'no-port' };
  const { namespace, name } = service.meta;
  const opaque = isOpaqueServicePort(service, port, cluster.settings.defaultOpaquePorts);
  const routing = routingOf(cluster, reads, { service: service.meta, clientNamespace });
  return { kind: 'service', namespace, name, port, opaque, routing };
};

/** What has this hostname in the Service, at the port that was asked for; of a pod with both families the address that Get gives. */
const ofInstance = (
  question: Question,
  service: KubeObject<'Service'>,
  { instance, port }: { readonly instance: string; readonly port: number },
): Profile => {
  const { cluster, reads } = question;
  const candidates = instanceCandidates(cluster, { service, port, reads }, instance);
  const preferred = candidates.find(({ ip }) => isV6(ip) === cluster.settings.ipv6) ?? candidates[0];
  return preferred === undefined
    ? { kind: 'nothing', reason: 'no-instance' }
    : ofCandidate(question, preferred, service.meta.namespace);
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
  const place = { ...nowhere, workload: pod.meta.name, hostname, nodeName, zone };
  return ofCandidate(question, { ip, port, workload: pod, place }, pod.meta.namespace);
};

/** The pod's own address and port: a proxy that was told the host's would look for the pod's proxy on the host. */
const ofHostPort = (
  question: Question,
  pod: KubeObject<'Pod'>,
  { ip, port }: { readonly ip: string; readonly port: number },
): Profile => {
  const { ips, ports } = pod.spec;
  const mapped = ports.find(({ hostPort, init }) => hostPort === port && init === undefined);
  const address = ips.find((candidate) => isV6(candidate) === isV6(ip)) ?? ips[0];
  return mapped === undefined || address === undefined
    ? unknown(question, port)
    : ofPod(question, pod, { ip: address, port: mapped.port });
};

const ofCandidate = (question: Question, found: Candidate, namespace: string): Profile => {
  const { mesh, defaultOpaquePorts, ipv6 } = question.cluster.settings;
  const candidate = atProxy(found, { mesh, ipv6 });
  const { workload, port } = candidate;
  const servers = serversIn(question.cluster, question.reads, namespace);
  const before = question.previous?.kind === 'endpoint' ? question.previous.endpoint : undefined;
  // A balancer learns the namespace from the set; an endpoint alone has to say it.
  const known = { mesh, defaultOpaquePorts, servers, labels: { namespace } };
  return {
    kind: 'endpoint',
    endpoint: endpointOf(candidate, known, before),
    opaque:
      workload === undefined
        ? hasPort(defaultOpaquePorts, port)
        : isOpaquePort(workload, port, { servers, defaults: defaultOpaquePorts }),
  };
};
