import assert from 'node:assert/strict';
import type { HttpRoute, Meta } from '@gatehouse/core/inbound/inbound-server';
import type { NetworkAuthenticationPolicySpec, PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { aNetworkAuthenticationPolicy, labelled } from '@gatehouse/testing/builders';
import { compileSituation } from './compile-situation.ts';
import type { Situation } from './decide/situation.ts';
import { aSituation } from './situation.ts';

/** Frontend, for every port, by these rules. */
export const ruledPolicy = (
  name: string,
  rules: readonly PolicyRule[],
  said: Partial<NetworkAuthenticationPolicySpec & { createdAt: number }> = {},
) =>
  aNetworkAuthenticationPolicy({
    name,
    rules,
    ports: 'all',
    sources: [{ podSelector: labelled({ app: 'frontend' }) }],
    ...said,
  });

export const forIntruder = { sources: [{ podSelector: labelled({ app: 'intruder' }) }] };

/** Those policies alone. */
export const ruledBy = (
  ...networkAuthenticationPolicies: Situation['networkAuthenticationPolicies']
): Situation => aSituation({ networkAuthenticationPolicies });

const nameOf = (meta: Meta): string =>
  meta.kind === 'default' ? meta.name : `${meta.resource.kind}/${meta.resource.name}`;

/** The list as the proxy gets it: route, match, how many authorizations. */
export const printRoutes = (situation: Situation): readonly string[] => {
  const { protocol } = compileSituation(situation).server;
  assert('routes' in protocol);
  return protocol.routes.map(({ meta, authorizations, rules }) => {
    const [match, ...more] = (rules as HttpRoute['rules']).flatMap(({ matches }) => matches);
    assert(match !== undefined && more.length === 0, 'one route per match');
    const parts = [
      match.method,
      match.path?.kind === 'regex' ? 'regex' : match.path && `${match.path.kind} ${match.path.value}`,
    ];
    const headers = match.headers.map(({ name, value }) => `${name}=${value}`);
    return `${nameOf(meta)}: ${[...parts, ...headers].filter(Boolean).join(' ')} (${authorizations.length})`;
  });
};
