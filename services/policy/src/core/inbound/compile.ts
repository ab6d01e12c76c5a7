import type { Authorization } from '@gatehouse/core/inbound/inbound-server';
import { selectServer } from '@gatehouse/core/mesh/select-server';
import { accountOf } from './account.ts';
import { attachedTo } from './attached-routes.ts';
import { authorizePort, noAuthorizations } from './authorize.ts';
import { authorizationsOf } from './default-policy.ts';
import { doubtAbout, withheldBy } from './doubt.ts';
import { govern } from './govern.ts';
import { type CompiledPort, grantsOf, type PortInput } from './model.ts';
import { routePort } from './route-port.ts';
import { policyMeta } from './rule-routes.ts';
import { type SelectingPolicy, selectPolicies } from './select-policies.ts';

/**
 * One port's row: who governs it, who is admitted, by which routes (design §6.2–§6.4). Pure: the same input gives a
 * deeply equal row, ties are broken by creation time, then name, and nothing here remembers an earlier row.
 */
export const compilePort = (input: PortInput): CompiledPort => {
  const servers = selectServer(input.policies.servers, input.workload, input.port);
  const policies = selectPolicies(input.policies.networkAuthenticationPolicies, input.workload, input.port);
  const doubt = doubtAbout(input, servers);
  const governance = govern(input, servers, policies);
  const { governing } = servers;
  const attached = governing === undefined ? [] : attachedTo(governing, input.policies.routes);
  const granted =
    governing === undefined ? noAuthorizations : authorizePort(input, { server: governing, attached, doubt });
  const granting = policies.enforced.filter(({ grantsOn }) => withheldBy(doubt, grantsOn) === undefined);
  const ruled = granting.flatMap((policy) => {
    const { rules, allowUnnormalizedPaths } = policy.spec;
    if (rules === undefined) return [];
    const { object } = policy;
    const authorizations = authorizationsBy(policy);
    return [{ object, name: object.meta.name, rules, allowUnnormalizedPaths, authorizations }];
  });
  const { protocol } = governance;
  const routed = routePort({
    input,
    protocol,
    ruled,
    // One that could not be read may have had rules, and then nobody reached a path that can be read in two ways.
    guard: policies.rejected.length > 0 ? 'always' : 'where-rules-name-paths',
    attached,
    byRoute: granted.byRoute,
  });
  const authorizations = [
    ...granting.filter(({ grantsOn }) => grantsOn === 'port').flatMap(authorizationsBy),
    ...granted.server,
    ...authorizationsOf(governance.base, input.cluster),
  ];
  return Object.freeze({
    server: Object.freeze({ protocol: routed.protocol, authorizations, meta: governance.meta }),
    governedBy: governance.governedBy,
    ...accountOf({ input, servers, policies, governance, doubt, attached, granted, routed }),
  });
};

const authorizationsBy = ({ object, sources }: SelectingPolicy): readonly Authorization[] =>
  grantsOf(sources).map((grant) => ({ ...grant, meta: policyMeta(object.meta.name) }));
