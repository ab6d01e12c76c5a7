import type { InboundProtocol } from '@gatehouse/core/inbound/inbound-server';
import { selectServer } from '@gatehouse/core/mesh/select-server';
import { accountOf } from './account.ts';
import { attachedTo, noRoutes, portRoutes } from './attached-routes.ts';
import { auditPort } from './audit-port.ts';
import { authorizePort, noAuthorizations } from './authorize.ts';
import { authorizationsOf } from './default-policy.ts';
import { doubtAbout, withheldBy } from './doubt.ts';
import { govern } from './govern.ts';
import { grantsBy, grantsOnPort } from './grants-on-port.ts';
import { limitPort, type PortLimits } from './limit-port.ts';
import type { CompiledPort, PortInput } from './model.ts';
import { routePort } from './route-port.ts';
import { Steps } from './row-budgets.ts';
import { selectPolicies } from './select-policies.ts';

/**
 * One port's row: who governs it, who is admitted, by which routes (design §6.2–§6.4). Pure: the same input gives a
 * deeply equal row, ties are broken by creation time, then name, and nothing here remembers an earlier row.
 */
export const compilePort = (input: PortInput): CompiledPort => {
  const servers = selectServer(input.policies.servers, input.workload, input.port);
  const policies = selectPolicies(input.policies.networkAuthenticationPolicies, input.workload, input.port);
  const { governing } = servers;
  const { rowBudgets } = input.cluster;
  const steps = new Steps(rowBudgets.compileSteps);
  const governance = govern(input, servers, policies);
  const { protocol } = governance;
  const routes =
    governing === undefined
      ? noRoutes
      : portRoutes(attachedTo(governing, input.policies.routes), {
          protocol,
          room: rowBudgets.attachedMatches,
        });
  const doubt = doubtAbout(input, servers, routes);
  const granting = policies.enforced.filter(({ grantsOn }) => withheldBy(doubt, grantsOn) === undefined);
  const ofPort = grantsOnPort(granting, steps);
  const base = authorizationsOf(governance.base, input.cluster);
  const audited = auditPort({ governance, audited: policies.audited, base, steps });
  const granted =
    governing === undefined
      ? noAuthorizations
      : authorizePort(input, { server: governing, protocol, routes, doubt, steps });
  const ruled = granting.flatMap((policy) => {
    const { rules, allowUnnormalizedPaths } = policy.spec;
    if (rules === undefined) return [];
    const { object } = policy;
    const grants = once(() => grantsBy(policy));
    return [{ object, name: object.meta.name, rules, allowUnnormalizedPaths, grants }];
  });
  const routed = routePort({
    input,
    protocol,
    ruled,
    // One that could not be read may have had rules, and then nobody reached a path that can be read in two ways.
    guard: policies.rejected.length > 0 ? 'always' : 'where-rules-name-paths',
    routes,
    byRoute: granted.byRoute,
    steps,
  });
  const limits = limitPort(input, servers, { protocol, steps });
  const authorizations = [...ofPort.authorizations, ...granted.server, ...audited.authorizations];
  return Object.freeze({
    server: Object.freeze({
      protocol: limited(routed.protocol, limits),
      authorizations,
      meta: governance.meta,
    }),
    governedBy: governance.governedBy,
    steps: steps.taken,
    ...accountOf({
      input,
      servers,
      policies,
      governance,
      doubt,
      routes,
      granted,
      routed,
      limits,
      costly: ofPort.costly,
    }),
    audit: audited.audit,
  });
};

const limited = (protocol: InboundProtocol, { rateLimit }: PortLimits): InboundProtocol => {
  switch (protocol.kind) {
    case 'detect':
    case 'http1':
    case 'http2':
      return rateLimit === undefined ? protocol : { ...protocol, rateLimit };
    case 'grpc':
    case 'opaque':
    case 'tls':
      return protocol;
  }
};

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};
