import type { WireObject } from '@gatehouse/testing/real-cluster';
import fc from 'fast-check';
import { injected, ofItsVersion, type RandomCluster } from './random-objects.ts';

/** Objects that are written over what there is or beside it, and objects that are removed. */
export interface Change {
  readonly put: readonly WireObject[];
  readonly remove: readonly WireObject[];
}

/** Which objects of another random cluster are written, and which of the present one are removed, by their places. */
export interface RandomChange {
  readonly puts: readonly number[];
  readonly removals: readonly number[];
}

export const randomChange: fc.Arbitrary<RandomChange> = fc.record(
  {
    puts: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 3 }),
    removals: fc.array(fc.nat({ max: 30 }), { maxLength: 2 }),
  },
  { noNullPrototype: true },
);

export const keyOf = ({ apiVersion, kind, metadata }: WireObject): string => {
  const [group] = String(apiVersion).split('/');
  const { namespace, name } = metadata as WireObject;
  return `${group} ${kind} ${namespace}/${name}`;
};

/** Of a pod only labels and annotations can change: its spec is kept. An object stays in the version in which it was made. */
export const changeOf = (
  { objects: present, namespaceSettings }: RandomCluster,
  other: RandomCluster,
  { puts, removals }: RandomChange,
): Change => {
  const chosen = ofOneProtocol(present, at(other.objects, puts));
  const put = [...new Map(chosen.map((object) => [keyOf(object), object])).values()].map((object) => {
    const before = present.find((one) => keyOf(one) === keyOf(object));
    if (object.kind === 'Pod')
      return { ...injected(object, namespaceSettings), spec: before?.spec ?? object.spec };
    if (object.kind === 'ExternalWorkload') return injected(object, namespaceSettings);
    if (before === undefined) return object;
    return ofItsVersion({ ...object, apiVersion: before.apiVersion });
  });
  const kept = new Set(put.map(keyOf));
  const removed = new Map(at(present, removals).map((object) => [keyOf(object), object]));
  return { put, remove: [...removed.values()].filter((object) => !kept.has(keyOf(object))) };
};

/** Without routes of another protocol than those that are there, which told-apart.ts is about. */
const ofOneProtocol = (
  present: readonly WireObject[],
  chosen: readonly WireObject[],
): readonly WireObject[] => {
  const isRoute = ({ kind }: WireObject): boolean => kind === 'HTTPRoute' || kind === 'GRPCRoute';
  const kind = [...present, ...chosen].find(isRoute)?.kind;
  return chosen.filter((object) => !isRoute(object) || object.kind === kind);
};

const at = (objects: readonly WireObject[], places: readonly number[]): readonly WireObject[] =>
  places.flatMap((place): readonly WireObject[] => {
    const object = objects[place % Math.max(objects.length, 1)];
    return object === undefined ? [] : [object];
  });

/** What there is after the change was made, as far as the API server took it. */
export const afterChange = (
  present: readonly WireObject[],
  { put, remove }: Change,
): readonly WireObject[] => {
  const gone = new Set([...put, ...remove].map(keyOf));
  return [...present.filter((object) => !gone.has(keyOf(object))), ...put];
};
