import { anchorOf, pair } from '@gatehouse/core/dependency/selector-index';
import type { LabelSelector } from '@gatehouse/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Workload } from '../model.ts';
import { asTarget, type ConcerningPolicies, everyServer, namespaceTarget } from './policy-index.ts';

/** Names of the facts that the rows of a class are made of. */
export const classFacts = {
  annotations: (namespace: string): string => `annotations/${namespace}`,
  /** Policies that select by this pair of a label, or by no single one. */
  selecting: (namespace: string, anchor: string | undefined, kind?: Workload['kind']): string =>
    `selecting/${kind ?? 'pod'}/${namespace}/${anchor ?? '*'}`,
  target: (namespace: string, target: string): string => `target/${namespace}/${target}`,
  /** ServerAuthorizations that select Servers by their labels. */
  serversByLabels: (namespace: string): string => `servers-by-labels/${namespace}`,
  routed: (namespace: string, server: string): string => `routed/${namespace}/${server}`,
  authentication: (kind: string, namespace: string, name: string): string =>
    `authentication/${kind}/${namespace}/${name}`,
  /** Whom the sources of a policy stand for. */
  sources: (namespace: string, name: string): string => `sources/${namespace}/${name}`,
};

export const selectingFact = (namespace: string, selector: LabelSelector, kind: Workload['kind']): string =>
  classFacts.selecting(namespace, anchorOf(selector), kind);

/** What the rows of a class are made of while these policies concern it. */
export const readsOf = (
  { kind, namespace, labels }: Workload,
  policies: ConcerningPolicies,
): ReadonlySet<string> => {
  const reads = new Set([
    classFacts.annotations(namespace),
    classFacts.selecting(namespace, undefined, kind),
  ]);
  for (const [key, value] of Object.entries(labels))
    reads.add(classFacts.selecting(namespace, pair(key, value), kind));
  for (const { meta } of policies.networkPolicies) reads.add(classFacts.sources(meta.namespace, meta.name));
  // What targets a Server, a route or the namespace counts only where a Server governs (design §6.2).
  if (policies.servers.length === 0) return reads;
  reads
    .add(classFacts.target(namespace, namespaceTarget))
    .add(classFacts.routed(namespace, everyServer))
    .add(classFacts.serversByLabels(namespace));
  for (const { meta } of policies.servers) reads.add(classFacts.routed(namespace, meta.name));
  for (const object of [...policies.servers, ...policies.routes])
    reads.add(classFacts.target(namespace, asTarget(object)));
  for (const policy of policies.authorizationPolicies)
    for (const fact of authenticationFacts(policy)) reads.add(fact);
  return reads;
};

const authenticationFacts = ({ spec }: KubeObject<'AuthorizationPolicy'>): readonly string[] =>
  isRejected(spec)
    ? []
    : spec.authentications.map(({ kind, namespace, name }) =>
        classFacts.authentication(kind, namespace, name),
      );
