import type { Attempt } from '@gatehouse/core/inbound/evaluate-inbound';
import type { HttpFilter } from '@gatehouse/core/inbound/inbound-server';
import type { IpAddress } from '@gatehouse/core/ip-network';
import { isRejected } from '@gatehouse/core/resources/kinds';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import type { ClusterConfig } from '../../src/core/inbound/model.ts';
import { admittedOnRoute, admittedToServer, isWithin, someAdmits } from './clients.ts';
import { isUnnormalized, pathOf, probesOf, ruleAllows, ruleAllowsCall } from './requests.ts';
import { attachedRoutes, isDisputed, routeRuleFor, spokenRoutes } from './routes.ts';
import type { Route, Server, Situation, Target } from './situation.ts';
import { baseOf, closing, enforced, possibleGovernors, protocolOf } from './who-governs.ts';

export type Decision =
  | { readonly kind: 'allowed'; readonly filters: readonly HttpFilter[] }
  | { readonly kind: 'denied'; readonly reason: 'unauthorized' | 'no-route' | 'not-http' };

const allowed = (filters: readonly HttpFilter[] = []): Decision => ({ kind: 'allowed', filters });
const denied = (reason: 'unauthorized' | 'no-route' | 'not-http'): Decision => ({ kind: 'denied', reason });

/**
 * Who may do what, decided from the objects themselves: design §6 and §15 read sentence by sentence, for one attempt,
 * without tables, routes or ranks of our own making. It shares no code with the compiler, whose rows a proxy must enforce
 * to the same verdict: the property test in compile.property.test.ts holds the two together.
 *
 * A typo opens nothing. What cannot be read grants nothing, and what it may have kept from somebody it still keeps from
 * them: each of `mayBe…` below says of what that is true, and rejection.property.test.ts that nothing is forgotten.
 */
export const decide = (situation: Situation, attempt: Attempt): Decision => {
  const [server] = possibleGovernors(situation);
  const protocol = protocolOf(situation, server) ?? 'unknown';
  const admittedAnyway = admitsEverything(situation, server, attempt);
  if (protocol === 'opaque' || protocol === 'TLS') return admittedAnyway ? allowed() : denied('unauthorized');
  if (attempt.traffic.kind === 'tcp') {
    if (protocol !== 'unknown') return denied('not-http');
    return admittedAnyway ? allowed() : denied('unauthorized');
  }
  const request = attempt.traffic;
  const attached = server === undefined ? [] : attachedRoutes(situation, server);
  const routes = spokenRoutes(attached, protocol);
  const isAnothers = mayBeAnothers(situation, routes);
  const isCall = protocol === 'gRPC';
  const isProbe =
    !isCall &&
    probesOf(situation).some(({ method, path }) => request.method === method && pathOf(request) === path);
  const admittedAsProbe = isProbe && isWithin(situation.cluster.probeNetworks, attempt.client);
  if (routes.length === 0) {
    // Rules grant nothing beside a route, also one that means nothing there.
    const byRules = (): boolean =>
      !isAnothers &&
      attached.length === 0 &&
      admittedByRules(situation, attempt, (rule) =>
        isCall ? ruleAllowsCall(rule, request) : ruleAllows(rule, request),
      ) &&
      (isCall || !(isUnnormalized(pathOf(request)) && mayBeGuarded(situation)));
    return admittedAnyway || admittedAsProbe || byRules() ? allowed() : denied('unauthorized');
  }
  const rule = routeRuleFor(situation, routes, request);
  const probesOpen = isProbe && situation.cluster.probeNetworks.length > 0;
  if (rule === undefined && !probesOpen) return denied('no-route');
  const onRoute =
    rule !== undefined &&
    server !== undefined &&
    !isAnothers &&
    admittedOnRoute(situation, { server, route: rule.route }, attempt);
  return admittedAnyway || admittedAsProbe || onRoute ? allowed(rule?.filters ?? []) : denied('unauthorized');
};

/** Whether a request may be the business of a route that nobody can read, and not of those that say so. */
const mayBeAnothers = (situation: Situation, routes: readonly Route[]): boolean =>
  situation.unreadableManifests === 'some' ||
  mayBeGovernedOtherwise(situation) ||
  routes.some(
    (route) => isDisputed(route, routes) || (isRejected(route.spec) && route.spec.extent === 'unknown'),
  );

/** Whether the port may speak something else, or have other routes, than it seems: its target or its first Server cannot be read. */
const mayBeGovernedOtherwise = (situation: Situation): boolean => {
  const { target } = situation;
  // Policies are for targets by their labels and the names of their ports.
  if (target.meta.unreadTexts !== undefined || arePortsUnread(target)) return true;
  const governors = possibleGovernors(situation);
  const [first, ...others] = governors.map((server) => protocolOf(situation, server));
  if (first === undefined || others.some((other) => other !== first)) return true;
  return (
    others.length > 0 &&
    governors.some((server) => server !== undefined && attachedRoutes(situation, server).length > 0)
  );
};

const arePortsUnread = (target: Target): boolean =>
  target.kind === 'Pod' ? target.spec.unread?.includes('ports') === true : target.spec.unreadPorts === true;

// Who is admitted to everything on the port.

const admitsEverything = (situation: Situation, server: Server | undefined, attempt: Attempt): boolean =>
  isLoopback(attempt.client) ||
  (!mayBeGovernedOtherwise(situation) &&
    (baseAdmits(baseOf(situation, server), situation.cluster, attempt) ||
      enforced(situation).some(
        ({ rules, sources }) => rules === undefined && someAdmits(sources, situation, attempt),
      ) ||
      (server !== undefined && admittedToServer(situation, server, attempt))));

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

/** Whether paths that an application may read in another way are kept from everybody whom only rules admit. */
const mayBeGuarded = (situation: Situation): boolean => {
  const ruled = enforced(situation).filter(({ rules }) => rules !== undefined);
  const namesPaths = ruled.some(({ rules }) => rules?.some(({ paths }) => paths !== undefined));
  const declined = ruled.every(({ allowUnnormalizedPaths }) => allowUnnormalizedPaths);
  return (namesPaths && !declined) || closing(situation).length > 0;
};
