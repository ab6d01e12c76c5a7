import { isDeepStrictEqual } from 'node:util';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, listOf } from './object-meta.ts';

/**
 * The fields of an object as server-side apply counts them: a path of `f:NAME` for a field and `k:{…}` for the item of a
 * list that is kept by keys. A list without keys is one field, whole.
 */
export type FieldPath = readonly string[];

/** The schema of a part; {} where none is known. */
export type Schema = WireObject;

const partOf = (schema: Schema, name: string): Schema => {
  const properties = fieldsOf(schema.properties);
  return fieldsOf(Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties);
};

/** The keys by which a list's items are told apart; undefined when the list is replaced whole. */
const listKeys = (schema: Schema): readonly string[] | undefined =>
  schema['x-kubernetes-list-type'] === 'map'
    ? (listOf(schema['x-kubernetes-list-map-keys']) as readonly string[])
    : undefined;

const itemKey = (item: unknown, keys: readonly string[]): string => {
  const fields = fieldsOf(item);
  return `k:${JSON.stringify(Object.fromEntries([...keys].sort().map((key) => [key, fields[key]])))}`;
};

/** Every field that a value sets. */
export function* fieldPaths(value: unknown, schema: Schema, path: FieldPath = []): Generator<FieldPath> {
  const keys = listKeys(schema);
  if (Array.isArray(value) && keys !== undefined) {
    for (const item of value) yield* fieldPaths(item, fieldsOf(schema.items), [...path, itemKey(item, keys)]);
  } else if (isWireObject(value) && Object.keys(value).length > 0) {
    for (const [name, part] of Object.entries(value))
      yield* fieldPaths(part, partOf(schema, name), [...path, `f:${name}`]);
  } else if (path.length > 0) yield path;
}

/** What stands at a path; undefined when there is nothing. */
export const valueAt = (value: unknown, path: FieldPath): unknown => {
  let at = value;
  for (const part of path) at = part.startsWith('f:') ? fieldsOf(at)[part.slice(2)] : itemAt(at, part);
  return at;
};

const itemAt = (list: unknown, part: string): unknown => listOf(list).find((item) => isItem(item, part));

const isItem = (item: unknown, part: string): boolean => {
  const keys = fieldsOf(JSON.parse(part.slice(2)));
  const fields = fieldsOf(item);
  return Object.entries(keys).every(([key, value]) => isDeepStrictEqual(fields[key], value));
};

/** The value without what stands at a path, and without the containers that this leaves empty. */
export const withoutPath = (value: unknown, path: FieldPath): unknown => {
  const [part, ...rest] = path;
  if (part === undefined) return undefined;
  if (part.startsWith('f:')) {
    if (!isWireObject(value)) return value;
    const name = part.slice(2);
    if (!Object.hasOwn(value, name)) return value;
    const { [name]: inner, ...others } = value;
    const left = withoutPath(inner, rest);
    if (left !== undefined) return { ...others, [name]: left };
    return Object.keys(others).length === 0 ? undefined : others;
  }
  const left = listOf(value)
    .map((item) => (isItem(item, part) ? withoutPath(item, rest) : item))
    .filter((item) => item !== undefined);
  return left.length === 0 ? undefined : left;
};

/** Lays an applied value over the live one: fields and keyed items are merged, everything else is replaced. */
export const mergeApplied = (live: unknown, applied: unknown, schema: Schema): unknown => {
  const keys = listKeys(schema);
  if (Array.isArray(applied) && Array.isArray(live) && keys !== undefined) {
    const items = [...live];
    for (const item of applied) {
      const key = itemKey(item, keys);
      const index = items.findIndex((each) => isItem(each, key));
      if (index === -1) items.push(item);
      else items[index] = mergeApplied(items[index], item, fieldsOf(schema.items));
    }
    return items;
  }
  if (!isWireObject(applied) || !isWireObject(live)) return applied;
  const merged: Record<string, unknown> = { ...live };
  for (const [name, value] of Object.entries(applied))
    merged[name] = mergeApplied(live[name], value, partOf(schema, name));
  return merged;
};

/** FieldsV1, the form in which metadata.managedFields keeps paths. */
export const printFieldsV1 = (paths: Iterable<FieldPath>): WireObject => {
  const root: Record<string, unknown> = {};
  for (const path of paths) {
    let at = root;
    for (const part of path) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
  }
  return root;
};

export function* parseFieldsV1(fields: unknown, path: FieldPath = []): Generator<FieldPath> {
  const parts = Object.entries(fieldsOf(fields)).filter(([part]) => part !== '.');
  if (parts.length === 0 && path.length > 0) yield path;
  for (const [part, inner] of parts) yield* parseFieldsV1(inner, [...path, part]);
}

/** `.status.conditions[type="Ready"].status`, as conflicts name a field. */
export const printPath = (path: FieldPath): string =>
  path
    .map((part) =>
      part.startsWith('f:')
        ? `.${part.slice(2)}`
        : `[${Object.entries(fieldsOf(JSON.parse(part.slice(2))))
            .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
            .join(',')}]`,
    )
    .join('');
