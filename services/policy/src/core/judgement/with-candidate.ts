import { selects } from '@gatehouse/core/label-selector';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { RouteObject } from '../inbound/attached-routes.ts';
import type { ResolvedSource, Workload } from '../inbound/model.ts';
import { type ConcerningPolicies, selectorOf } from '../inbound/rows/policy-index.ts';
import type { JudgedCompiler } from './judged-rows.ts';
import type { Judged } from './judgement.ts';

/**
 * The compiler as if the object were stored: it stands among the policies of its namespace, in place of the one of its name.
 * Rows look for themselves at which of them they are for, but for those that select by labels. Sources are resolved once, for
 * every row that they are granted on: an object may select a whole namespace on both sides.
 */
export const withCandidate = (compiler: JudgedCompiler, candidate: Judged): JudgedCompiler => {
  const resolved = new Map<NetworkPolicy, readonly ResolvedSource[]>();
  const sourcesOf = (policy: NetworkPolicy): readonly ResolvedSource[] => {
    const sources = resolved.get(policy) ?? compiler.sourcesOnce(policy);
    resolved.set(policy, sources);
    return sources;
  };
  return {
    labelKeys: (namespace) => compiler.labelKeys(namespace),
    portsOf: (compilable) => compiler.portsOf(compilable),
    sourcesOf,
    sourcesOnce: sourcesOf,
    compiledPort: (compilable, port) => compiler.compiledPort(compilable, port, sourcesOf),
    policiesFor: (workload) => joined(compiler.policiesFor(workload), workload, candidate),
  };
};

type NetworkPolicy = KubeObject<'NetworkAuthenticationPolicy'>;

const joined = (policies: ConcerningPolicies, workload: Workload, candidate: Judged): ConcerningPolicies => {
  if (candidate.meta.namespace !== workload.namespace) return policies;
  switch (candidate.kind) {
    case 'Server':
      return { ...policies, servers: replaced(policies.servers, candidate, isFor(candidate, workload)) };
    case 'NetworkAuthenticationPolicy':
      return {
        ...policies,
        networkPolicies: replaced(policies.networkPolicies, candidate, isFor(candidate, workload)),
      };
    case 'AuthorizationPolicy':
      return { ...policies, authorizationPolicies: replaced(policies.authorizationPolicies, candidate) };
    case 'ServerAuthorization':
      return { ...policies, serverAuthorizations: replaced(policies.serverAuthorizations, candidate) };
    case 'HTTPRoute':
    case 'GatewayHTTPRoute':
    case 'GRPCRoute':
      return { ...policies, routes: replaced<RouteObject>(policies.routes, candidate) };
    case 'HTTPLocalRateLimitPolicy':
      return { ...policies, rateLimits: replaced(policies.rateLimits, candidate) };
    case 'MeshTLSAuthentication':
    case 'NetworkAuthentication':
      return policies;
  }
};

const isFor = (
  candidate: KubeObject<'Server'> | KubeObject<'NetworkAuthenticationPolicy'>,
  { kind, labels }: Workload,
): boolean => {
  const selector = selectorOf(candidate, kind);
  return selector !== undefined && selects(selector, labels);
};

const replaced = <T extends KubeObject>(
  objects: readonly T[],
  candidate: T,
  isThere = true,
): readonly T[] => [
  ...objects.filter(({ kind, meta }) => kind !== candidate.kind || meta.name !== candidate.meta.name),
  ...(isThere ? [candidate] : []),
];
