import { isV6 } from '@gatehouse/core/ip-network';
import type { Endpoint } from './endpoint.ts';

/** Where a client is; empty strings where it is not known. */
export interface ClientPlace {
  readonly nodeName: string;
  readonly zone: string;
}

/** What a Service says about which of its endpoints a client should use. */
export interface TrafficRules {
  /** internalTrafficPolicy: Local. */
  readonly local: boolean;
  readonly distribution: 'PreferClose' | 'PreferSameZone' | 'PreferSameNode' | undefined;
  /** By which of its addresses a workload with both is reached; not the Service's but the mesh's word. */
  readonly prefers: 'IPv4' | 'IPv6';
}

/**
 * The endpoints that one client is given, in semantics §3.4's order: Local traffic stays on the node or goes nowhere;
 * else hints, if every endpoint has them; else the Service's distribution; then one address per workload.
 */
export const endpointsFor = (
  endpoints: readonly Endpoint[],
  rules: TrafficRules,
  client: ClientPlace,
): readonly Endpoint[] =>
  byOneFamily(
    rules.local ? onNode(endpoints, client) : near(endpoints, rules.distribution, client),
    rules.prefers,
  );

/** Whether the answer of `endpointsFor` depends on the client's node; if not, one answer serves a whole zone. */
export const dependsOnNode = (endpoints: readonly Endpoint[], rules: TrafficRules): boolean =>
  rules.local || rules.distribution === 'PreferSameNode' || haveAll(endpoints, 'forNodes');

export const onNode = (endpoints: readonly Endpoint[], { nodeName }: ClientPlace): readonly Endpoint[] =>
  nodeName === '' ? [] : endpoints.filter(({ place }) => place.nodeName === nodeName);

/** Nearness is a preference: what would leave nobody is not applied. */
const near = (
  endpoints: readonly Endpoint[],
  distribution: TrafficRules['distribution'],
  client: ClientPlace,
): readonly Endpoint[] =>
  byHints(endpoints, client) ?? byDistribution(endpoints, distribution, client) ?? endpoints;

/**
 * Hints count only when every endpoint carries them: a set that is half hinted is in the middle of a change. Hints of
 * which none is for this client leave all endpoints, and keep the distribution out, since the author of the hints knew it.
 */
export const byHints = (
  endpoints: readonly Endpoint[],
  { nodeName, zone }: ClientPlace,
): readonly Endpoint[] | undefined => {
  const hinted = { nodes: haveAll(endpoints, 'forNodes'), zones: haveAll(endpoints, 'forZones') };
  if (!hinted.nodes && !hinted.zones) return undefined;
  const forNode = hinted.nodes
    ? endpoints.filter(({ place }) => nodeName !== '' && place.forNodes.includes(nodeName))
    : [];
  if (forNode.length > 0) return forNode;
  const forZone = hinted.zones
    ? endpoints.filter(({ place }) => zone !== '' && place.forZones.includes(zone))
    : [];
  return forZone.length > 0 ? forZone : endpoints;
};

/** What the Service asks for where no hints were made of it; PreferClose means the same zone (Kubernetes 1.31). */
export const byDistribution = (
  endpoints: readonly Endpoint[],
  distribution: TrafficRules['distribution'],
  client: ClientPlace,
): readonly Endpoint[] | undefined => {
  if (distribution === undefined) return undefined;
  const sameNode = distribution === 'PreferSameNode' ? onNode(endpoints, client) : [];
  if (sameNode.length > 0) return sameNode;
  const sameZone = endpoints.filter(({ place }) => client.zone !== '' && place.zone === client.zone);
  return sameZone.length > 0 ? sameZone : undefined;
};

/** A workload that is left with both families is given once, by the one that the mesh prefers. */
const byOneFamily = (
  endpoints: readonly Endpoint[],
  prefers: TrafficRules['prefers'],
): readonly Endpoint[] => {
  const isPreferred = ({ seenAs }: Endpoint): boolean =>
    isV6(seenAs.unknown.shown.ip) === (prefers === 'IPv6');
  const reached = new Set<string>();
  for (const endpoint of endpoints)
    if (endpoint.place.workload !== '' && isPreferred(endpoint)) reached.add(endpoint.place.workload);
  return endpoints.filter((endpoint) => isPreferred(endpoint) || !reached.has(endpoint.place.workload));
};

const haveAll = (endpoints: readonly Endpoint[], hint: 'forZones' | 'forNodes'): boolean =>
  endpoints.length > 0 && endpoints.every(({ place }) => place[hint].length > 0);
