import type { Attempt } from '@gatehouse/core/inbound/evaluate-inbound';
import type { HttpFilter } from '@gatehouse/core/inbound/inbound-server';
import type { IpAddress } from '@gatehouse/core/ip-network';
import { selects } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { NetworkAuthenticationPolicySpec, PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { type DefaultPolicy, defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import type { ClusterConfig } from '../../src/core/inbound/model.ts';
import { admittedOnRoute, admittedToServer, isWithin, someAdmits } from './clients.ts';
import {
  attachedRoutes,
  isUnnormalized,
  pathOf,
  probesOf,
  routeRuleFor,
  ruleAllows,
  ruleAllowsCall,
} from './requests.ts';
import type { Situation } from './situation.ts';

export type Decision =
  | { readonly kind: 'allowed'; readonly filters: readonly HttpFilter[] }
  | { readonly kind: 'denied'; readonly reason: 'unauthorized' | 'no-route' | 'not-http' };

const allowed = (filters: readonly HttpFilter[] = []): Decision => ({ kind: 'allowed', filters });
const denied = (reason: 'unauthorized' | 'no-route' | 'not-http'): Decision => ({ kind: 'denied', reason });

/**
 * Who may do what, decided from the objects themselves: design §6 read sentence by sentence, for one attempt, without
 * tables, routes or ranks of our own making. It shares no code with the compiler, whose rows a proxy must enforce to the
 * same verdict: the property test in compile.property.test.ts holds the two together.
 */
export const decide = (situation: Situation, attempt: Attempt): Decision => {
  const server = governingServer(situation);
  const protocol = protocolOf(situation, server);
  const admittedAnyway = admitsEverything(situation, server, attempt);
  if (protocol === 'opaque' || protocol === 'TLS') return admittedAnyway ? allowed() : denied('unauthorized');
  if (attempt.traffic.kind === 'tcp') {
    if (protocol !== 'unknown') return denied('not-http');
    return admittedAnyway ? allowed() : denied('unauthorized');
  }
  const request = attempt.traffic;
  const attached = server === undefined ? [] : attachedRoutes(situation, server);
  if (protocol === 'gRPC') {
    if (admittedAnyway) return allowed();
    return attached.length === 0 &&
      admittedByRules(situation, attempt, (rule) => ruleAllowsCall(rule, request))
      ? allowed()
      : denied('unauthorized');
  }
  const isProbe = probesOf(situation).some(
    ({ method, path }) => request.method === method && pathOf(request) === path,
  );
  const admittedAsProbe = isProbe && isWithin(situation.cluster.probeNetworks, attempt.client);
  if (attached.length === 0) {
    const byRules = (): boolean =>
      admittedByRules(situation, attempt, (rule) => ruleAllows(rule, request)) &&
      !(isUnnormalized(pathOf(request)) && isGuarded(situation));
    return admittedAnyway || admittedAsProbe || byRules() ? allowed() : denied('unauthorized');
  }
  const rule = routeRuleFor(situation, attached, request);
  const probesOpen = isProbe && situation.cluster.probeNetworks.length > 0;
  if (rule === undefined && !probesOpen) return denied('no-route');
  const onRoute =
    rule !== undefined &&
    server !== undefined &&
    admittedOnRoute(situation, { server, route: rule.route }, attempt);
  return admittedAnyway || admittedAsProbe || onRoute ? allowed(rule?.filters ?? []) : denied('unauthorized');
};

// §6.2: what governs a port.

const named = (ports: readonly PortSelector[], { target, port }: Situation): boolean => {
  for (const selector of ports) {
    if (selector.kind === 'range' && port >= selector.first && port <= selector.last) return true;
    if (selector.kind === 'name') {
      for (const own of target.spec.ports) if (own.name === selector.name && own.port === port) return true;
    }
  }
  return false;
};

const governingServer = (situation: Situation): KubeObject<'Server'> | undefined => {
  const { target } = situation;
  let oldest: KubeObject<'Server'> | undefined;
  for (const server of situation.servers) {
    if (server.meta.namespace !== target.meta.namespace) continue;
    const { spec } = server;
    const selector = isRejected(spec) ? spec.closes.selector : spec.podSelector;
    if (selector === undefined || !selects(selector, target.meta.labels)) continue;
    const ports = isRejected(spec) ? spec.closes.ports : [spec.port];
    if (ports !== 'all' && !named(ports, situation)) continue;
    const isOlder =
      oldest === undefined ||
      server.meta.createdAt < oldest.meta.createdAt ||
      (server.meta.createdAt === oldest.meta.createdAt && server.meta.name < oldest.meta.name);
    if (isOlder) oldest = server;
  }
  return oldest;
};

const protocolOf = (
  { target, port, cluster }: Situation,
  server: KubeObject<'Server'> | undefined,
): 'unknown' | 'HTTP/1' | 'HTTP/2' | 'gRPC' | 'opaque' | 'TLS' => {
  if (server !== undefined) return isRejected(server.spec) ? 'unknown' : server.spec.proxyProtocol;
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

const selecting = (situation: Situation): readonly Policy[] =>
  situation.networkAuthenticationPolicies.filter(({ meta, spec }) => {
    const { target, port } = situation;
    if (meta.namespace !== target.meta.namespace) return false;
    if (isRejected(spec)) {
      const isNamed = spec.closes.ports === 'all' || named(spec.closes.ports, situation);
      return isNamed && selects(spec.closes.selector, target.meta.labels);
    }
    const isNamed = spec.ports === 'all' ? ![4143, 4190, 4191].includes(port) : named(spec.ports, situation);
    return isNamed && selects(spec.target, target.meta.labels);
  });

const enforced = (situation: Situation): readonly NetworkAuthenticationPolicySpec[] =>
  selecting(situation).flatMap(({ spec }) => (!isRejected(spec) && spec.mode === 'Enforce' ? [spec] : []));

const baseOf = (situation: Situation, server: KubeObject<'Server'> | undefined): DefaultPolicy => {
  if (situation.unreadableManifests === 'some') return 'deny';
  if (selecting(situation).some(({ spec }) => isRejected(spec))) return 'deny';
  if (server !== undefined) return isRejected(server.spec) ? 'deny' : server.spec.accessPolicy;
  if (enforced(situation).length > 0) return 'deny';
  const annotation = 'config.linkerd.io/default-inbound-policy';
  const { target, namespaces, cluster } = situation;
  const namespace = namespaces.find(({ meta }) => meta.name === target.meta.namespace);
  const text = target.meta.annotations[annotation] ?? namespace?.meta.annotations[annotation];
  if (text === undefined) return cluster.defaultPolicy;
  return defaultPolicies.find((policy) => policy === text) ?? 'deny';
};

// Who is admitted to everything on the port.

const admitsEverything = (
  situation: Situation,
  server: KubeObject<'Server'> | undefined,
  attempt: Attempt,
): boolean =>
  isLoopback(attempt.client) ||
  baseAdmits(baseOf(situation, server), situation.cluster, attempt) ||
  enforced(situation).some(
    ({ rules, sources }) => rules === undefined && someAdmits(sources, situation, attempt),
  ) ||
  (server !== undefined && admittedToServer(situation, server, attempt));

const isLoopback = ({ family, bits }: IpAddress): boolean => bits === (family === 4 ? 0x7f000001n : 1n);

const baseAdmits = (
  base: DefaultPolicy,
  { clusterNetworks }: ClusterConfig,
  { client, tls }: Attempt,
): boolean => {
  const hasIdentity = tls.kind === 'identified' && tls.id === 'dns';
  switch (base) {
    case 'all-unauthenticated':
    case 'audit':
      return true;
    case 'all-authenticated':
      return hasIdentity;
    case 'cluster-unauthenticated':
      return isWithin(clusterNetworks, client);
    case 'cluster-authenticated':
      return hasIdentity && isWithin(clusterNetworks, client);
    case 'deny':
      return false;
  }
};

const admittedByRules = (
  situation: Situation,
  attempt: Attempt,
  allows: (rule: PolicyRule) => boolean,
): boolean =>
  enforced(situation).some(
    ({ rules, sources }) => rules?.some(allows) === true && someAdmits(sources, situation, attempt),
  );

const isGuarded = (situation: Situation): boolean => {
  const ruled = enforced(situation).filter(({ rules }) => rules !== undefined);
  const namesPaths = ruled.some(({ rules }) => rules?.some(({ paths }) => paths !== undefined));
  return namesPaths && ruled.some(({ allowUnnormalizedPaths }) => !allowUnnormalizedPaths);
};
