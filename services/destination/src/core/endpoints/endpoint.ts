import { printHostPort } from '@gatehouse/core/host-port';
import { isV6 } from '@gatehouse/core/ip-network';
import { isOpaquePort } from '@gatehouse/core/mesh/opaque-port';
import { bypassOf } from '@gatehouse/core/mesh/proxy-bypass';
import { isProxyServer } from '@gatehouse/core/mesh/proxy-ports';
import { controlPlaneLabel, isMeshed } from '@gatehouse/core/mesh/workload';
import {
  type Identity,
  identityOf,
  isDnsName,
  isSameIdentity,
  type Mesh,
  printIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import type { PortSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Cluster } from '../cluster.ts';
import { externalIdentity, externalLabels, externalProxyPort } from './external-workload.ts';

const podTemplateLabel = 'pod-template-hash';

/** How an endpoint lies to the caller; the proxy counts by it. `unknown` where either zone is. */
export const zoneLocalities = ['local', 'remote', 'unknown'] as const;
export type ZoneLocality = (typeof zoneLocalities)[number];

/** Everything that a proxy is told of an endpoint, but for its locality. */
export interface Shown {
  readonly ip: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Whom it must prove to be; undefined = plaintext. */
  readonly identity: Identity | undefined;
  /** The name that it ends TLS for, where that is another than its identity's. */
  readonly serverName?: string;
  /** Undefined for whatever has no proxy of ours. */
  readonly hint: Hint | undefined;
}

export interface Hint {
  readonly protocol: 'h2' | 'opaque';
  /** Where the endpoint's proxy takes the transport header; undefined for the proxy's own ports. */
  readonly inboundPort: number | undefined;
}

/** What one client is told of an endpoint. What is equal is the same object: a difference is a difference of references. */
export interface Address {
  readonly shown: Shown;
  readonly locality: ZoneLocality;
}

/** Where an endpoint is, for the filters. Empty strings and lists where it is not known. */
export interface Place {
  /** The pod's name, or `externalworkload/NAME`; '' for a bare address. */
  readonly workload: string;
  readonly hostname: string;
  readonly nodeName: string;
  readonly zone: string;
  readonly forZones: readonly string[];
  readonly forNodes: readonly string[];
}

export interface Endpoint {
  /** `ip:port`; unique in a set. */
  readonly key: string;
  readonly place: Place;
  readonly seenAs: Readonly<Record<ZoneLocality, Address>>;
}

/** An address that something stands behind, before it is said how to reach it. */
export interface Candidate {
  readonly ip: string;
  readonly port: number;
  /** Undefined for an address that no workload of the mesh's stands behind, such as a hand-written EndpointSlice's. */
  readonly workload: Workload | undefined;
  readonly place: Place;
}

/** What can stand behind an address and be known. */
export type Workload = KubeObject<'Pod'> | KubeObject<'ExternalWorkload'>;

const externalPrefix = 'externalworkload/';

/** How a place names a workload; no pod can have the name of an ExternalWorkload, since none has a slash. */
export const targetName = (kind: Workload['kind'], name: string): string =>
  kind === 'Pod' ? name : `${externalPrefix}${name}`;

export const workloadName = (workload: Workload | undefined): string =>
  workload === undefined ? '' : targetName(workload.kind, workload.meta.name);

/** The workload of a place in a namespace, if it is still there. */
export const workloadAt = (
  { index }: Cluster,
  namespace: string,
  { workload }: Place,
): Workload | undefined =>
  workload.startsWith(externalPrefix)
    ? index.get('ExternalWorkload', namespace, workload.slice(externalPrefix.length))
    : index.get('Pod', namespace, workload);

/** What of the settings says which address of a pod its proxy listens on. */
interface Listening {
  readonly mesh: Mesh;
  /** Whether proxies listen on IPv6 too where their pod does not say. */
  readonly ipv6: boolean;
}

/**
 * The candidate at an address on which the pod's proxy takes connections (design §15.7): on another one the application would
 * be met without its proxy, or nothing at all. A pod of which no such address is known stays where it was found.
 */
export const atProxy = (candidate: Candidate, { mesh, ipv6 }: Listening): Candidate => {
  const { ip, port, workload: pod } = candidate;
  if (pod?.kind !== 'Pod' || !hasProxy(pod, port, mesh)) return candidate;
  const { ips, proxyListensOn } = pod.spec;
  const listensOn = proxyListensOn === 'unsaid' ? (ipv6 ? 'both' : 'IPv4') : proxyListensOn;
  if (isFamily(ip, listensOn)) return candidate;
  const other = ips.find((each) => isFamily(each, listensOn));
  return other === undefined ? candidate : { ...candidate, ip: other };
};

const isFamily = (ip: string, family: 'IPv4' | 'IPv6' | 'both'): boolean =>
  family === 'both' || isV6(ip) === (family === 'IPv6');

export interface EndpointFacts {
  readonly mesh: Mesh;
  readonly defaultOpaquePorts: PortSet;
  /** The Servers of the endpoints' namespace. */
  readonly servers: readonly KubeObject<'Server'>[];
  /** Labels beside those that say where the endpoint comes from. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a proxy of this mesh stands before the pod's port. */
const hasProxy = (pod: KubeObject<'Pod'>, port: number, mesh: Mesh): boolean =>
  isMeshed(pod.meta, mesh) && !bypasses(pod, port);

/** What is shown of a candidate: TLS identity and hints by semantics §3.3, labels by §3.2. */
const show = (candidate: Candidate, facts: EndpointFacts): Shown => {
  const { ip, port, workload, place } = candidate;
  const labels = {
    ...facts.labels,
    ...(workload === undefined ? {} : workloadLabels(workload)),
    ...(place.zone === '' ? {} : { zone: place.zone }),
  };
  const bare = { ip, port, labels, identity: undefined, hint: undefined };
  if (workload === undefined) return bare;
  const protocol = isOpaquePort(workload, port, {
    servers: facts.servers,
    defaults: facts.defaultOpaquePorts,
  })
    ? 'opaque'
    : 'h2';
  switch (workload.kind) {
    case 'Pod':
      return hasProxy(workload, port, facts.mesh)
        ? { ...bare, ...showPod(workload, port, { mesh: facts.mesh, protocol }) }
        : bare;
    case 'ExternalWorkload': {
      const hint = { protocol, inboundPort: externalProxyPort(workload.spec) } as const;
      return { ...bare, ...externalIdentity(workload.spec), hint };
    }
  }
};

const showPod = (
  { meta, spec }: KubeObject<'Pod'>,
  port: number,
  { mesh, protocol }: { readonly mesh: Mesh; readonly protocol: Hint['protocol'] },
): Pick<Shown, 'identity' | 'hint'> => {
  const identity = identityOf(mesh, meta.namespace, spec.serviceAccount);
  return {
    // A name that is not a valid DNS name has no certificate; the proxy would ignore it and warn on every update.
    identity: isDnsName(printIdentity(identity)) ? identity : undefined,
    hint: {
      protocol,
      // The proxy's own servers take no transport header (semantics §3.3).
      inboundPort: isProxyServer(spec.proxyPorts, port) ? undefined : spec.proxyPorts.inbound,
    },
  };
};

/** Makes an endpoint, keeping what is still true of the one before: what is the same object is not sent again. */
export const endpointOf = (
  candidate: Candidate,
  facts: EndpointFacts,
  previous: Endpoint | undefined,
): Endpoint => {
  const { place } = candidate;
  const shown = showOnce(candidate, facts);
  const isShown = previous !== undefined && sameShown(previous.seenAs.unknown.shown, shown);
  if (isShown && samePlace(previous.place, place)) return previous;
  return { key: addressKey(candidate), place, seenAs: isShown ? previous.seenAs : asSeen(shown) };
};

interface Remembered {
  readonly facts: EndpointFacts;
  readonly shown: Shown;
}

// Objects are replaced when they change, so what was shown of a workload stays true of it while the Servers stay the same. A
// change of one pod among thousands then costs the showing of one.
const remembered = new WeakMap<Workload, Map<string, Remembered>>();

const showOnce = (candidate: Candidate, facts: EndpointFacts): Shown => {
  const { workload, place } = candidate;
  if (workload === undefined) return show(candidate, facts);
  let known = remembered.get(workload);
  if (known === undefined) {
    known = new Map();
    remembered.set(workload, known);
  }
  const key = `${addressKey(candidate)} ${place.zone}`;
  const last = known.get(key);
  if (last !== undefined && sameFacts(last.facts, facts)) return last.shown;
  const shown = show(candidate, facts);
  known.set(key, { facts, shown });
  return shown;
};

const sameFacts = (a: EndpointFacts, b: EndpointFacts): boolean =>
  a === b ||
  (a.servers === b.servers &&
    a.mesh === b.mesh &&
    a.defaultOpaquePorts === b.defaultOpaquePorts &&
    sameLabels(a.labels, b.labels));

/** The three addresses that an endpoint is to clients here, elsewhere and nowhere. */
export const asSeen = (shown: Shown): Endpoint['seenAs'] => ({
  local: { shown, locality: 'local' },
  remote: { shown, locality: 'remote' },
  unknown: { shown, locality: 'unknown' },
});

export const addressKey = ({ ip, port }: { readonly ip: string; readonly port: number }): string =>
  printHostPort({ host: ip, port });

export const localityOf = (zone: string, clientZone: string): ZoneLocality => {
  if (zone === '' || clientZone === '') return 'unknown';
  return zone === clientZone ? 'local' : 'remote';
};

const bypasses = ({ meta, spec }: KubeObject<'Pod'>, port: number): boolean =>
  bypassOf({ hostNetwork: spec.hostNetwork, annotations: meta.annotations }, port) !== undefined;

const workloadLabels = (workload: Workload): Readonly<Record<string, string>> =>
  workload.kind === 'Pod' ? podLabels(workload) : externalLabels(workload);

const podLabels = ({ meta, spec }: KubeObject<'Pod'>): Record<string, string> => {
  const controlPlane = meta.labels[controlPlaneLabel];
  const template = meta.labels[podTemplateLabel];
  return {
    // First, so that no owner's kind takes the place of a label that says something else.
    ...(spec.owner === undefined ? {} : { [ownerLabel(spec.owner.kind)]: spec.owner.name }),
    pod: meta.name,
    serviceaccount: spec.serviceAccount,
    ...(controlPlane === undefined ? {} : { control_plane_ns: controlPlane }),
    ...(template === undefined ? {} : { pod_template_hash: template }),
  };
};

/** `job` is Prometheus's own label (semantics, correction 2). */
const ownerLabel = (kind: string): string => (kind === 'Job' ? 'k8s_job' : kind.toLowerCase());

const sameShown = (a: Shown, b: Shown): boolean =>
  a === b ||
  (a.ip === b.ip &&
    a.port === b.port &&
    isSameIdentity(a.identity, b.identity) &&
    a.serverName === b.serverName &&
    a.hint?.protocol === b.hint?.protocol &&
    a.hint?.inboundPort === b.hint?.inboundPort &&
    sameLabels(a.labels, b.labels));

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
};

const samePlace = (a: Place, b: Place): boolean =>
  a.workload === b.workload &&
  a.hostname === b.hostname &&
  a.nodeName === b.nodeName &&
  a.zone === b.zone &&
  sameTexts(a.forZones, b.forZones) &&
  sameTexts(a.forNodes, b.forNodes);

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index]);
