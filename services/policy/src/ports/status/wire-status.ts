import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { OwnCondition, OwnStatus } from '../../core/status/own-status.ts';

/** Who owns our fields in server-side apply, and our entries among the parents of a route. */
export const fieldManager = 'gatehouse-policy';
export const controllerName = 'gatehouse.dev/policy-controller';

/** How an object's status is to be written. */
export interface StatusWrite {
  readonly contentType: 'application/apply-patch+yaml' | 'application/merge-patch+json';
  readonly query: Readonly<Record<string, string | boolean>>;
  readonly body: WireObject;
}

/**
 * What makes the status of an object say ours too; undefined where it does. Conditions are a map by their type, so each is
 * applied by its owner; the parents of a route are one list for all controllers, so it is replaced as it was read, which the
 * version guards.
 */
export const statusWrite = (object: WireObject, own: OwnStatus, now: string): StatusWrite | undefined => {
  const metadata = fieldsOf(object.metadata);
  const status = fieldsOf(object.status);
  const { name, namespace, resourceVersion, generation } = metadata;
  switch (own.kind) {
    case 'conditions': {
      const known = listOf(status.conditions);
      const { keeps = [] } = own;
      const conditions = [
        ...own.conditions.map((condition) => printed(condition, known, { generation, now })),
        // What is not applied again would be taken out.
        ...known.filter(({ type }) => keeps.some((kept) => kept === type)),
      ];
      const observed =
        generation === undefined || !('matchedPods' in own.fields) ? {} : { observedGeneration: generation };
      const fields = { ...observed, ...own.fields };
      const isSaid =
        conditions.every((condition) => known.some((each) => isSame(each, condition))) &&
        Object.entries(fields).every(([field, value]) => isSame(status[field], value));
      if (isSaid) return undefined;
      const { apiVersion, kind } = object;
      return {
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager, force: true },
        body: {
          apiVersion,
          kind,
          metadata: { name, namespace, resourceVersion },
          status: { ...fields, conditions },
        },
      };
    }
    case 'parents': {
      const all = listOf(status.parents);
      const [ours, others] = [all.filter(isOurs), all.filter((entry) => !isOurs(entry))];
      const parents = serverRefs(object).flatMap((parentRef) => {
        const condition = own.parents[String(parentRef.name)];
        if (condition === undefined) return [];
        const before = ours.find((entry) => isSame(entry.parentRef, parentRef));
        const known = listOf(before?.conditions);
        return [{ parentRef, controllerName, conditions: [printed(condition, known, { generation, now })] }];
      });
      if (isSame(ours, parents)) return undefined;
      return {
        contentType: 'application/merge-patch+json',
        query: { fieldManager },
        body: { metadata: { resourceVersion }, status: { parents: [...others, ...parents] } },
      };
    }
  }
};

const isOurs = (entry: WireObject): boolean => entry.controllerName === controllerName;

/** The parents of a route that are Servers, as its author wrote them. */
const serverRefs = (route: WireObject): readonly WireObject[] =>
  listOf(fieldsOf(route.spec).parentRefs).filter(
    ({ group, kind }) => group === 'policy.linkerd.io' && kind === 'Server',
  );

interface Written {
  readonly generation: unknown;
  readonly now: string;
}

/** With the time of its last transition: that of the same condition, if its status was the same. */
const printed = (
  { type, status, reason, message }: OwnCondition,
  known: readonly WireObject[],
  { generation, now }: Written,
): WireObject => {
  const before = known.find((each) => each.type === type);
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  return {
    type,
    status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime,
    reason,
    message,
  };
};

const fieldsOf = (value: unknown): WireObject => (isWireObject(value) ? value : {});

const listOf = (value: unknown): readonly WireObject[] =>
  Array.isArray(value) ? value.filter(isWireObject) : [];

/** Whatever the order of fields. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isWireObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};
