import { selects } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import {
  type DefaultPolicy,
  defaultPolicies,
  type ServerSpec,
} from '@gatehouse/core/resources/kinds/linkerd';
import type { Server, Situation } from './situation.ts';

const named = (ports: readonly PortSelector[], { target, port }: Situation): boolean => {
  for (const selector of ports) {
    if (selector.kind === 'range' && port >= selector.first && port <= selector.last) return true;
    if (selector.kind === 'name') {
      for (const own of target.spec.ports) if (own.name === selector.name && own.port === port) return true;
    }
  }
  return false;
};

/** The Servers that claim the port, the one that counts first. */
const claimants = (situation: Situation): readonly Server[] => {
  const { target } = situation;
  return situation.servers
    .filter(({ meta, spec }) => {
      if (meta.namespace !== target.meta.namespace) return false;
      const isPod = target.kind === 'Pod';
      if (isRejected(spec)) {
        const closes = isPod ? spec.closes : spec.closesExternal;
        if (!selects(closes.selector, target.meta.labels)) return false;
        return closes.ports === 'all' || named(closes.ports, situation);
      }
      const selector = isPod ? spec.podSelector : spec.externalWorkloadSelector;
      return selector !== undefined && selects(selector, target.meta.labels) && named([spec.port], situation);
    })
    .sort(({ meta: a }, { meta: b }) =>
      a.createdAt === b.createdAt ? (a.name < b.name ? -1 : 1) : a.createdAt - b.createdAt,
    );
};

/** Who governs; more than one where Servers that cannot be read may have meant other ports, `undefined` = no Server. */
export const possibleGovernors = (situation: Situation): readonly (Server | undefined)[] => {
  const governors: (Server | undefined)[] = [];
  for (const server of claimants(situation)) {
    governors.push(server);
    if (!isRejected(server.spec) || server.spec.governs === 'surely') return governors;
  }
  return [...governors, undefined];
};

/** Undefined = a Server says, and nobody can read what. */
export const protocolOf = (
  { target, port, cluster }: Situation,
  server: Server | undefined,
): ServerSpec['proxyProtocol'] | undefined => {
  if (server !== undefined) return server.spec.proxyProtocol;
  const listed = target.meta.annotations['config.linkerd.io/opaque-ports'];
  if (listed === undefined) {
    const isDefault = cluster.defaultOpaquePorts.ranges.some(
      ({ first, last }) => port >= first && port <= last,
    );
    return isDefault ? 'opaque' : 'unknown';
  }
  for (const item of listed.split(',')) {
    const [first, last = first] = item.trim().split('-').map(Number);
    if (first !== undefined && last !== undefined && port >= first && port <= last) return 'opaque';
  }
  return 'unknown';
};

type Policy = KubeObject<'NetworkAuthenticationPolicy'>;

/** Their targets are pods (docs/policy.md): none selects an ExternalWorkload. */
const selecting = (situation: Situation): readonly Policy[] =>
  situation.networkAuthenticationPolicies.filter(({ meta, spec }) => {
    const { target, port } = situation;
    if (target.kind !== 'Pod') return false;
    if (meta.namespace !== target.meta.namespace) return false;
    if (isRejected(spec)) {
      const isNamed = spec.closes.ports === 'all' || named(spec.closes.ports, situation);
      return isNamed && selects(spec.closes.selector, target.meta.labels);
    }
    const isNamed =
      spec.ports === 'all'
        ? !Object.values(target.spec.proxyPorts).includes(port)
        : named(spec.ports, situation);
    return isNamed && selects(spec.target, target.meta.labels);
  });

/** The policies that cannot be read and may have meant the port. */
export const closing = (situation: Situation): readonly Policy[] =>
  selecting(situation).filter(({ spec }) => isRejected(spec));

export const enforced = (situation: Situation): readonly NetworkAuthenticationPolicySpec[] =>
  selecting(situation).flatMap(({ spec }) => (!isRejected(spec) && spec.mode === 'Enforce' ? [spec] : []));

export const baseOf = (situation: Situation, server: Server | undefined): DefaultPolicy => {
  if (situation.unreadableManifests === 'some') return 'deny';
  if (closing(situation).length > 0) return 'deny';
  if (server !== undefined) return isRejected(server.spec) ? 'deny' : server.spec.accessPolicy;
  if (enforced(situation).length > 0) return 'deny';
  const annotation = 'config.linkerd.io/default-inbound-policy';
  const { target, namespaces, cluster } = situation;
  const namespace = namespaces.find(({ meta }) => meta.name === target.meta.namespace);
  const text = target.meta.annotations[annotation] ?? namespace?.meta.annotations[annotation];
  if (text === undefined) return cluster.defaultPolicy;
  return defaultPolicies.find((policy) => policy === text) ?? 'deny';
};
