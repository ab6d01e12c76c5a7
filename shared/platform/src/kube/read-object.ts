import type { Problem } from '@gatehouse/core/problem';
import { isRejected, type Kind, type KubeObject, type ObjectMeta } from '@gatehouse/core/resources/kinds';
import { defaultObjectBudgets, type ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { rowOf } from './kind-table.ts';
import { Tally } from './parse/budget.ts';
import { describe, Fields, isWireObject, type WireObject } from './parse/fields.ts';
import { isNamespaceName, isObjectName, readMeta } from './parse/meta.ts';
import type { Wire } from './parse/read.ts';

/** What came through the door. */
export type ReadObject =
  | {
      readonly outcome: 'read';
      readonly object: KubeObject;
      /** Fields that could not be read and cost only themselves. */
      readonly warnings: readonly Problem[];
      /** Policy kinds: the object as a rejected one, for reasons that are not in the object. */
      readonly reject?: (problems: readonly Problem[]) => KubeObject;
    }
  /** A core object that no API server would have stored: there is no such object. */
  | { readonly outcome: 'refused'; readonly problems: readonly Problem[] }
  /** Nobody can say which object this is, or where, so nobody can say what it closes (design §15.4). */
  | { readonly outcome: 'unplaced'; readonly problems: readonly Problem[] };

const fixName = 'lower-case letters, digits and `-`, at most 63, a letter or digit at both ends';

const nameProblems = ({ name }: ObjectMeta, kind: Kind): readonly Problem[] =>
  (kind === 'Namespace' ? isNamespaceName(name) : isObjectName(name))
    ? []
    : [{ field: 'metadata.name', found: `${describe(name)} is not a valid name`, fix: fixName }];

const namespaceProblems = ({ namespace }: ObjectMeta, namespaced: boolean): readonly Problem[] =>
  !namespaced || isNamespaceName(namespace)
    ? []
    : [
        {
          field: 'metadata.namespace',
          found: `${describe(namespace)} is not a valid namespace`,
          fix: fixName,
        },
      ];

/** Kinds that may close something: those of policy, and a namespace by its annotations. */
const mayClose = (kind: Kind): boolean => rowOf(kind).class === 'policy' || kind === 'Namespace';

const versionProblems = ({ version }: Wire, versions: readonly string[]): readonly Problem[] =>
  versions.includes(version)
    ? []
    : [{ field: 'apiVersion', found: `\`${version}\` is not known`, fix: `use ${versions.join(' or ')}` }];

const withGeneration = (meta: ObjectMeta, written: unknown): ObjectMeta => {
  const generation = isWireObject(written) ? written.generation : undefined;
  return typeof generation === 'number' && Number.isSafeInteger(generation) ? { ...meta, generation } : meta;
};

/**
 * The door that every wire object goes through, whatever source it comes from: its metadata and spec, small and
 * readonly, or what is wrong with it.
 */
export const readObject = (
  kind: Kind,
  body: WireObject,
  budgets: ObjectBudgets = defaultObjectBudgets,
): ReadObject => {
  const row = rowOf(kind);
  const problems: Problem[] = [];
  const metadata = new Fields(isWireObject(body.metadata) ? body.metadata : {}, 'metadata', problems, {
    tally: new Tally(budgets),
  });
  const read = readMeta(metadata, row.namespaced);
  if (read === undefined) return { outcome: 'unplaced', problems };
  const { unread } = read;
  const meta = row.class === 'policy' ? withGeneration(read.meta, body.metadata) : read.meta;
  const version = String(body.apiVersion ?? '').replace(/^.*\//, '');
  const badName = nameProblems(meta, kind);
  const badPlace = [...(kind === 'Namespace' ? badName : []), ...namespaceProblems(meta, row.namespaced)];
  if (mayClose(kind) && badPlace.length > 0) return { outcome: 'unplaced', problems: badPlace };
  const wire: Wire = { body, meta, unread, version, budgets };
  const badVersion = versionProblems(wire, row.versions);
  if (row.class === 'core') {
    const refused = [...badName, ...badPlace];
    if (refused.length > 0) return { outcome: 'refused', problems: refused };
    const { spec, warnings } = row.parse(wire);
    return {
      outcome: 'read',
      object: { kind, meta, spec },
      warnings: [...problems, ...badVersion, ...warnings],
    };
  }
  const { spec, warnings } = row.parse(wire);
  const isOfOrder = ({ field }: Problem): boolean => field === 'metadata.creationTimestamp';
  const badOrder = [...badName, ...problems.filter(isOfOrder)];
  const outside = [...badOrder, ...badVersion];
  const reject = (more: readonly Problem[]): KubeObject => ({
    kind,
    meta: badOrder.length === 0 ? meta : { ...meta, createdAt: beforeAllOthers },
    spec: row.reject(wire, [...more, ...(isRejected(spec) ? spec.rejected : [])]),
  });
  return {
    outcome: 'read',
    object: outside.length === 0 ? { kind, meta, spec } : reject(outside),
    warnings: [...problems.filter((problem) => !isOfOrder(problem)), ...warnings],
    reject,
  };
};

/**
 * Age, then name, decide between Servers and between routes. Of a rejected one whose place nobody can read the first place
 * closes the most: nothing that it may have come before takes over.
 */
const beforeAllOthers = -1;
