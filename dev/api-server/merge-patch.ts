import { isWireObject } from '@gatehouse/platform/kube/parse/fields';

/** JSON merge patch (RFC 7396): null takes a field away, objects are merged, everything else replaces. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isWireObject(patch)) return patch;
  const merged: Record<string, unknown> = isWireObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
};
