import { isOpaquePort } from '@gatehouse/core/mesh/opaque-port';
import { bypassOf } from '@gatehouse/core/mesh/proxy-bypass';
import { isProxyServer } from '@gatehouse/core/mesh/proxy-ports';
import { controlPlaneLabel, isMeshed } from '@gatehouse/core/mesh/workload';
import {
  identityOf,
  isDnsName,
  isSameIdentity,
  type Mesh,
  printIdentity,
  type WorkloadIdentity,
} from '@gatehouse/core/mesh/workload-identity';
import type { PortSet } from '@gatehouse/core/port-set';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';

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
  readonly identity: WorkloadIdentity | undefined;
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

/** Where an endpoint is, for the filters. Empty strings and lists where nobody says. */
export interface Place {
  readonly pod: string;
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
  /** Undefined for an address that no pod stands behind, such as a hand-written EndpointSlice's. */
  readonly pod: KubeObject<'Pod'> | undefined;
  readonly place: Place;
}

/**
 * The candidate at an address on which the pod's proxy takes connections (design §15.7): on another one the application would
 * be met, without its proxy, or nobody. A pod of which no such address is known stays where it was found.
 */
export const atProxy = (candidate: Candidate, mesh: Mesh): Candidate => {
  const { ip, port, pod } = candidate;
  if (pod === undefined || !hasProxy(pod, port, mesh)) return candidate;
  const { ips, proxyListensOn } = pod.spec;
  if (isFamily(ip, proxyListensOn)) return candidate;
  const other = ips.find((each) => isFamily(each, proxyListensOn));
  return other === undefined ? candidate : { ...candidate, ip: other };
};

const isFamily = (ip: string, family: PodSpec['proxyListensOn']): boolean =>
  family === 'both' || ip.includes(':') === (family === 'IPv6');

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
const show = ({ ip, port, pod, place }: Candidate, facts: EndpointFacts): Shown => {
  const labels = {
    ...facts.labels,
    ...(pod === undefined ? {} : podLabels(pod)),
    ...(place.zone === '' ? {} : { zone: place.zone }),
  };
  if (pod === undefined || !hasProxy(pod, port, facts.mesh)) {
    return { ip, port, labels, identity: undefined, hint: undefined };
  }
  const identity = identityOf(facts.mesh, pod.meta.namespace, pod.spec.serviceAccount);
  const opaque = isOpaquePort(pod, port, { servers: facts.servers, defaults: facts.defaultOpaquePorts });
  return {
    ip,
    port,
    labels,
    // A name that is not a valid DNS name has no certificate; the proxy would ignore it and warn on every update.
    identity: isDnsName(printIdentity(identity)) ? identity : undefined,
    hint: {
      protocol: opaque ? 'opaque' : 'h2',
      // The proxy's own servers take no transport header (semantics §3.3).
      inboundPort: isProxyServer(pod.spec.proxyPorts, port) ? undefined : pod.spec.proxyPorts.inbound,
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

// Objects are replaced when they change, so what was shown of a pod stays true of it while the Servers stay the same. A
// change of one pod among thousands then costs the showing of one.
const remembered = new WeakMap<KubeObject<'Pod'>, Map<string, Remembered>>();

const showOnce = (candidate: Candidate, facts: EndpointFacts): Shown => {
  const { pod, place } = candidate;
  if (pod === undefined) return show(candidate, facts);
  let known = remembered.get(pod);
  if (known === undefined) {
    known = new Map();
    remembered.set(pod, known);
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
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

export const localityOf = (zone: string, clientZone: string): ZoneLocality => {
  if (zone === '' || clientZone === '') return 'unknown';
  return zone === clientZone ? 'local' : 'remote';
};

const bypasses = ({ meta, spec }: KubeObject<'Pod'>, port: number): boolean =>
  bypassOf({ hostNetwork: spec.hostNetwork, annotations: meta.annotations }, port) !== undefined;

const podLabels = ({ meta, spec }: KubeObject<'Pod'>): Record<string, string> => {
  const controlPlane = meta.labels[controlPlaneLabel];
  const template = meta.labels[podTemplateLabel];
  return {
    // First, so that no owner's kind takes the place of a label that says something else.
    ...(spec.owner === undefined ? {} : { [spec.owner.kind.toLowerCase()]: spec.owner.name }),
    pod: meta.name,
    serviceaccount: spec.serviceAccount,
    ...(controlPlane === undefined ? {} : { control_plane_ns: controlPlane }),
    ...(template === undefined ? {} : { pod_template_hash: template }),
  };
};

const sameShown = (a: Shown, b: Shown): boolean =>
  a === b ||
  (a.ip === b.ip &&
    a.port === b.port &&
    isSameIdentity(a.identity, b.identity) &&
    a.hint?.protocol === b.hint?.protocol &&
    a.hint?.inboundPort === b.hint?.inboundPort &&
    sameLabels(a.labels, b.labels));

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
};

const samePlace = (a: Place, b: Place): boolean =>
  a.pod === b.pod &&
  a.hostname === b.hostname &&
  a.nodeName === b.nodeName &&
  a.zone === b.zone &&
  sameTexts(a.forZones, b.forZones) &&
  sameTexts(a.forNodes, b.forNodes);

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index]);
