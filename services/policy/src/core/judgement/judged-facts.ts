import { pair } from '@gatehouse/core/dependency/selector-index';
import type { Labels } from '@gatehouse/core/label-selector';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import { classKey } from '../inbound/rows/workload-class.ts';
import { workloadOf } from '../inbound/workload-of.ts';

type Pod = KubeObject<'Pod'>;

/** Names of the facts that judgements are made of, beside those of rows (class-facts.ts). */
export const judgedFacts = {
  /** Pods with this pair of a label, or all of the namespace. */
  pods: (namespace: string, anchor: string | undefined): string => `pods/${namespace}/${anchor ?? '*'}`,
  object: (kind: Kind, namespace: string, name: string): string => `object/${kind}/${namespace}/${name}`,
  /** Which namespaces there are, and their labels. */
  namespaces: 'namespaces',
  /** The label names by which classes of pods are told apart. */
  labelKeys: (namespace: string): string => `label-keys/${namespace}`,
  servers: (namespace: string): string => `servers/${namespace}`,
  externalWorkloads: (namespace: string): string => `external-workloads/${namespace}`,
  /** Pods that run under a ServiceAccount. */
  account: (namespace: string, name: string): string => `account/${namespace}/${name}`,
  /** Which AuthorizationPolicies refer to an authentication. */
  references: (kind: string, namespace: string, name: string): string =>
    `references/${kind}/${namespace}/${name}`,
};

const keys = new WeakMap<Pod, string>();

/** Everything of a pod that a judgement may depend on; a change of readiness, say, is none. */
const judgedOf = (pod: Pod): string => {
  const known = keys.get(pod);
  if (known !== undefined) return known;
  const key = `${hasEnded(pod.spec)} ${pod.meta.deletedAt !== undefined} ${pod.spec.serviceAccount} ${classKey(workloadOf(pod))}`;
  keys.set(pod, key);
  return key;
};

/** The facts that a batch touched: of each object as it was and as it is. */
export const factsOf = (touched: readonly Touched[]): Set<string> => {
  const facts = new Set<string>();
  for (const { kind, before, after } of touched) {
    const isSame = before !== undefined && after !== undefined && isAlike(before, after);
    if (isSame) continue;
    for (const state of [before, after]) {
      if (state === undefined) continue;
      for (const fact of factsOfOne(state)) facts.add(fact);
    }
    if (kind === 'Namespace') facts.add(judgedFacts.namespaces);
  }
  return facts;
};

/** Whether nothing changed that anyone is judged by. */
const isAlike = (before: KubeObject, after: KubeObject): boolean => {
  switch (before.kind) {
    case 'Pod':
      return judgedOf(before as Pod) === judgedOf(after as Pod);
    case 'ServiceAccount':
      return true;
    case 'Namespace':
      return sameLabels(before.meta.labels, after.meta.labels);
    default:
      return false;
  }
};

const sameLabels = (a: Labels, b: Labels): boolean => JSON.stringify(a) === JSON.stringify(b);

function* factsOfOne(object: KubeObject): Generator<string> {
  const { namespace, name, labels } = object.meta;
  switch (object.kind) {
    case 'Pod':
      yield judgedFacts.pods(namespace, undefined);
      yield judgedFacts.account(namespace, (object as Pod).spec.serviceAccount);
      for (const [key, value] of Object.entries(labels)) yield judgedFacts.pods(namespace, pair(key, value));
      return;
    case 'ExternalWorkload':
      yield judgedFacts.externalWorkloads(namespace);
      return;
    case 'Server':
      yield judgedFacts.servers(namespace);
      break;
    case 'AuthorizationPolicy': {
      const { spec } = object as KubeObject<'AuthorizationPolicy'>;
      if (isRejected(spec)) break;
      for (const each of spec.authentications)
        yield judgedFacts.references(each.kind, each.namespace, each.name);
      break;
    }
  }
  yield judgedFacts.object(object.kind, namespace, name);
}
