import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { ApiStatus } from './api-status.ts';
import {
  type FieldPath,
  fieldPaths,
  mergeApplied,
  parseFieldsV1,
  printFieldsV1,
  printPath,
  type Schema,
  valueAt,
  withoutPath,
} from './field-paths.ts';
import { fieldsOf, listOf, metaOf, textOf, withMeta } from './object-meta.ts';

/** Who writes, by which path and when: what metadata.managedFields remembers of a field's owner. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** RFC 3339. */
  readonly time: string;
}

interface Owned {
  readonly manager: Manager;
  readonly paths: ReadonlyMap<string, FieldPath>;
}

const mapped = (paths: Iterable<FieldPath>): ReadonlyMap<string, FieldPath> =>
  new Map([...paths].map((path) => [path.join('\n'), path]));

const readOwners = (object: WireObject): readonly Owned[] =>
  listOf(metaOf(object).managedFields)
    .map(fieldsOf)
    .map((entry) => ({
      manager: {
        name: textOf(entry.manager),
        operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
        apiVersion: textOf(entry.apiVersion),
        subresource: textOf(entry.subresource),
        time: textOf(entry.time),
      },
      paths: mapped(parseFieldsV1(entry.fieldsV1)),
    }));

const withOwners = (object: WireObject, owners: readonly Owned[]): WireObject => {
  const managedFields = owners
    .filter(({ paths }) => paths.size > 0)
    .map(({ manager, paths }) => ({
      manager: manager.name,
      operation: manager.operation,
      apiVersion: manager.apiVersion,
      time: manager.time,
      fieldsType: 'FieldsV1',
      fieldsV1: printFieldsV1(paths.values()),
      ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
    }));
  return withMeta(object, { managedFields: managedFields.length === 0 ? undefined : managedFields });
};

const isSame = (one: Manager, other: Manager): boolean =>
  one.name === other.name && one.operation === other.operation && one.subresource === other.subresource;

/** What nobody owns: the object's own name, and what only the server writes. */
const managedPart = (object: WireObject): WireObject => {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = object;
  const { labels, annotations, finalizers, ownerReferences } = metaOf(object);
  const metadata = Object.fromEntries(
    Object.entries({ labels, annotations, finalizers, ownerReferences }).filter(
      ([, each]) => each !== undefined,
    ),
  );
  return Object.keys(metadata).length === 0 ? rest : { ...rest, metadata };
};

/** Notes who changed which fields of an object by an ordinary write; what was changed has one owner afterwards. */
export const noteUpdate = (
  before: WireObject | undefined,
  after: WireObject,
  { manager, schema }: { readonly manager: Manager; readonly schema: Schema },
): WireObject => {
  const [was, is] = [managedPart(before ?? {}), managedPart(after)];
  const changed = mapped(
    [...fieldPaths(is, schema)].filter((path) => !isDeepStrictEqual(valueAt(was, path), valueAt(is, path))),
  );
  const owners = readOwners(before ?? {}).map((owned) => ({
    ...owned,
    paths: keep(owned.paths, (key, path) => !changed.has(key) && valueAt(is, path) !== undefined),
  }));
  if (changed.size === 0) return withOwners(after, owners);
  const own = owners.find((owned) => isSame(owned.manager, manager));
  const others = owners.filter((owned) => owned !== own);
  return withOwners(after, [...others, { manager, paths: new Map([...(own?.paths ?? []), ...changed]) }]);
};

const keep = (
  paths: ReadonlyMap<string, FieldPath>,
  holds: (key: string, path: FieldPath) => boolean,
): ReadonlyMap<string, FieldPath> => new Map([...paths].filter(([key, path]) => holds(key, path)));

/**
 * Server-side apply: lays `applied` over the live object, takes away what this manager applied before and nobody else
 * owns, and refuses to change what another manager owns unless `force` is set. Throws ApiStatus.
 */
export const applyFields = (
  live: WireObject,
  applied: WireObject,
  how: { readonly manager: Manager; readonly schema: Schema; readonly force: boolean },
): WireObject => {
  const { manager, schema, force } = how;
  const wanted = managedPart(applied);
  const paths = mapped(fieldPaths(wanted, schema));
  const owners = readOwners(live);
  const others = owners.filter((owned) => !isSame(owned.manager, manager));
  const differs = keep(paths, (_key, path) => !isDeepStrictEqual(valueAt(live, path), valueAt(wanted, path)));
  const conflicts = others.flatMap((owned) =>
    [...differs]
      .filter(([key]) => owned.paths.has(key))
      .map(([, path]) => ({ manager: owned.manager, path })),
  );
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const left = others.map((owned) => ({ ...owned, paths: keep(owned.paths, (key) => !differs.has(key)) }));
  const before = owners.find((owned) => isSame(owned.manager, manager))?.paths ?? new Map();
  let merged = mergeApplied(live, wanted, schema);
  for (const [key, path] of before)
    if (!paths.has(key) && !left.some((owned) => owned.paths.has(key))) merged = withoutPath(merged, path);
  const object = { ...fieldsOf(merged), metadata: { ...metaOf(live), ...metaOf(fieldsOf(merged)) } };
  return withOwners(object, [{ manager, paths }, ...left]);
};

interface Conflict {
  readonly manager: Manager;
  readonly path: FieldPath;
}

const applyConflict = (conflicts: readonly Conflict[]): ApiStatus => {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: printPath(path),
  }));
  const [only] = causes;
  const count = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`;
  const told =
    causes.length === 1 && only !== undefined
      ? `${only.message}: ${only.field}`
      : causes
          .map(({ message, field }) => `${message.replace('conflict', 'conflicts')}:\n- ${field}`)
          .join('\n');
  return new ApiStatus({
    code: 409,
    reason: 'Conflict',
    message: `Apply failed with ${count}: ${told}`,
    details: { causes },
  });
};

const printManager = ({ name, operation, subresource, apiVersion }: Manager): string =>
  `${JSON.stringify(name)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}${
    operation === 'Update' ? ` using ${apiVersion}` : ''
  }`;
