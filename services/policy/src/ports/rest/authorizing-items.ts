import type { LabelSelector } from '@gatehouse/core/label-selector';
import { PodsByLabels } from '../../core/answers/pods-by-labels.ts';
import { podEnforcement } from '../../core/inbound/enforcement.ts';
import { Turns } from '../turns.ts';
import {
  type Authorizing,
  authorizingNamespace,
  authorizingObject,
  type KnownPolicies,
  selectorOf,
} from './rest-authorizations.ts';
import type { AuthorizingObject } from './rest-authorizing-object.ts';

/** A page of objects as people and programs read them: each pod of their namespaces is looked at once, in slices. */
export const authorizingItems = async (
  objects: readonly Authorizing[],
  known: KnownPolicies,
  signal?: AbortSignal,
): Promise<AuthorizingObject[]> => {
  const turns = new Turns(signal);
  const pods = new Map<string, PodsByLabels>();
  for (const [namespace, selectors] of selectorsIn(objects))
    pods.set(namespace, await podsOf(namespace, { selectors, known, turns }));
  const podsSelected = (namespace: string, selector: LabelSelector) =>
    pods.get(namespace)?.selectedBy(selector) ?? [];
  const items: AuthorizingObject[] = [];
  for (const object of objects) {
    items.push(authorizingObject(object, { ...known, podsSelected }));
    await turns.next();
  }
  return items;
};

const selectorsIn = (objects: readonly Authorizing[]): ReadonlyMap<string, readonly LabelSelector[]> => {
  const found = new Map<string, LabelSelector[]>();
  for (const object of objects) {
    const selector = selectorOf(object);
    if (selector === undefined) continue;
    const namespace = authorizingNamespace(object);
    const others = found.get(namespace);
    if (others === undefined) found.set(namespace, [selector]);
    else others.push(selector);
  }
  return found;
};

interface Grouping {
  readonly selectors: readonly LabelSelector[];
  readonly known: KnownPolicies;
  readonly turns: Turns;
}

const podsOf = async (
  namespace: string,
  { selectors, known: { index, cluster }, turns }: Grouping,
): Promise<PodsByLabels> => {
  const namespaceAnnotations = index.get('Namespace', '', namespace)?.meta.annotations ?? {};
  const facts = { mesh: cluster.mesh, namespaceAnnotations };
  const pods = new PodsByLabels(selectors);
  for (const pod of [...index.in('Pod', namespace).values()]) {
    pods.add({ pod, enforcement: podEnforcement(pod, facts) });
    await turns.next();
  }
  return pods;
};
