import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, listOf } from './object-meta.ts';

/** The field by which items of a list of a built-in kind are told apart (`patchMergeKey` of k8s.io/api); other lists are replaced. */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  secrets: ['name'],
  webhooks: ['name'],
  // Of a container, else of a Service.
  ports: ['containerPort', 'port'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  podIPs: ['ip'],
  hostIPs: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  conditions: ['type'],
  ownerReferences: ['uid'],
};

/** Lists of texts of which a patch adds some. */
const mergedTexts = ['finalizers'];

const directive = '$patch';
const order = '$setElementOrder/';
const taken = '$deleteFromPrimitiveList/';

/**
 * Strategic merge patch, as kubectl sends it for built-in kinds: JSON merge patch, but that some lists are merged item by item,
 * with its directives `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList`.
 */
export const strategicMerge = (target: unknown, patch: WireObject): WireObject => {
  const { [directive]: how, $retainKeys: retained, ...rest } = patch;
  if (how === 'delete') return {};
  if (how === 'replace') return rest;
  const merged: Record<string, unknown> = { ...fieldsOf(target) };
  if (Array.isArray(retained))
    for (const name of Object.keys(merged)) if (!retained.includes(name)) delete merged[name];
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith(order)) continue;
    if (name.startsWith(taken)) {
      const list = name.slice(taken.length);
      merged[list] = listOf(merged[list]).filter((item) => !listOf(value).includes(item));
    } else if (value === null) delete merged[name];
    else if (isWireObject(value)) merged[name] = strategicMerge(merged[name], value);
    else if (Array.isArray(value)) merged[name] = mergeList(name, listOf(merged[name]), value);
    else merged[name] = value;
  }
  for (const [name, value] of Object.entries(rest))
    if (name.startsWith(order)) {
      const list = name.slice(order.length);
      if (Array.isArray(merged[list])) merged[list] = inOrder(list, listOf(merged[list]), listOf(value));
    }
  return merged;
};

const mergeList = (
  name: string,
  current: readonly unknown[],
  patch: readonly unknown[],
): readonly unknown[] => {
  if (mergedTexts.includes(name)) return [...new Set([...current, ...patch])];
  const key = keyOf(name, [...patch, ...current]);
  if (key === undefined) return patch;
  if (patch.some((item) => isWireObject(item) && item[directive] === 'replace'))
    return patch.filter((item) => !(isWireObject(item) && item[directive] === 'replace'));
  let merged = [...current];
  for (const item of patch.map(fieldsOf)) {
    const at = merged.findIndex((each) => fieldsOf(each)[key] === item[key]);
    if (item[directive] === 'delete') merged = merged.filter((_, index) => index !== at);
    else if (at < 0) merged.push(strategicMerge({}, item));
    else merged[at] = strategicMerge(merged[at], item);
  }
  return merged;
};

/** The first of its keys that an item has; undefined where the list is replaced as a whole. */
const keyOf = (name: string, items: readonly unknown[]): string | undefined =>
  mergeKeys[name]?.find((key) => items.some((item) => isWireObject(item) && Object.hasOwn(item, key)));

/** The items that the order names, as it has them; those that it does not name stay behind them. */
const inOrder = (name: string, items: readonly unknown[], wanted: readonly unknown[]): readonly unknown[] => {
  const key = keyOf(name, items);
  const placeOf = (item: unknown): number => {
    const at = wanted.findIndex((each) =>
      key === undefined ? each === item : fieldsOf(each)[key] === fieldsOf(item)[key],
    );
    return at < 0 ? wanted.length : at;
  };
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
};
