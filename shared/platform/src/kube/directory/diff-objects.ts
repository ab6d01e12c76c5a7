import { isDeepStrictEqual } from 'node:util';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import { keyOf } from './candidate.ts';
import type { World } from './folder-objects.ts';

const deleteOf = ({ kind, meta: { namespace, name, uid } }: KubeObject): Change => ({
  type: 'delete',
  kind,
  namespace,
  name,
  uid,
});

const applyOf = (object: KubeObject): Change => ({ type: 'apply', kind: object.kind, object }) as Change;

/** The whole world as the first thing that is said of every kind. */
export const resetTo = (world: World, kinds: readonly Kind[]): readonly Change[] => {
  const objects = [...world.objects.values()];
  const resets = kinds.map(
    (kind) => ({ type: 'reset', kind, objects: objects.filter((object) => object.kind === kind) }) as Change,
  );
  return world.unreadable.length === 0
    ? resets
    : [...resets, { type: 'unreadable', manifests: world.unreadable }];
};

/** What leads from one world to the next: deletes, then applies; an object that is deeply equal says nothing. */
export const diffWorlds = (before: World, after: World, kinds: readonly Kind[]): readonly Change[] => {
  const changes: Change[] = [];
  const watched = new Set(kinds);
  for (const object of before.objects.values()) {
    const now = after.objects.get(keyOf(object));
    // Under another uid it is another object: the old one was deleted, whatever its name.
    if (watched.has(object.kind) && now?.meta.uid !== object.meta.uid) changes.push(deleteOf(object));
  }
  for (const object of after.objects.values()) {
    if (!watched.has(object.kind)) continue;
    if (!isDeepStrictEqual(before.objects.get(keyOf(object)), object)) changes.push(applyOf(object));
  }
  if (!isDeepStrictEqual(before.unreadable, after.unreadable)) {
    changes.push({ type: 'unreadable', manifests: after.unreadable });
  }
  return changes;
};
