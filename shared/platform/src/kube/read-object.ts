import type { Problem } from '@gatehouse/core/problem';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
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
  /** Nobody can say which object this is, so nobody can say what it closes. */
  | { readonly outcome: 'nameless'; readonly problems: readonly Problem[] };

const nameProblems = ({ meta }: Wire, namespaced: boolean, isNamespace: boolean): readonly Problem[] => {
  const problems: Problem[] = [];
  const fix = 'lower-case letters, digits and `-`, at most 63, a letter or digit at both ends';
  if (isNamespace ? !isNamespaceName(meta.name) : !isObjectName(meta.name)) {
    problems.push({ field: 'metadata.name', found: `${describe(meta.name)} is no name`, fix });
  }
  if (namespaced && !isNamespaceName(meta.namespace)) {
    problems.push({ field: 'metadata.namespace', found: `${describe(meta.namespace)} is no namespace`, fix });
  }
  return problems;
};

const versionProblems = ({ version }: Wire, versions: readonly string[]): readonly Problem[] =>
  versions.includes(version)
    ? []
    : [{ field: 'apiVersion', found: `\`${version}\` is not known`, fix: `use ${versions.join(' or ')}` }];

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
  const meta = readMeta(metadata, row.namespaced);
  if (meta === undefined) return { outcome: 'nameless', problems };
  const version = String(body.apiVersion ?? '').replace(/^.*\//, '');
  const wire: Wire = { body, meta, version, budgets };
  const badName = nameProblems(wire, row.namespaced, kind === 'Namespace');
  const badVersion = versionProblems(wire, row.versions);
  if (row.class === 'core') {
    if (badName.length > 0) return { outcome: 'refused', problems: badName };
    const { spec, warnings } = row.parse(wire);
    return {
      outcome: 'read',
      object: { kind, meta, spec },
      warnings: [...problems, ...badVersion, ...warnings],
    };
  }
  const { spec, warnings } = row.parse(wire);
  const outside = [...badName, ...badVersion];
  const reject = (more: readonly Problem[]): KubeObject => ({
    kind,
    meta,
    spec: row.reject(wire, [...more, ...(isRejected(spec) ? spec.rejected : [])]),
  });
  return {
    outcome: 'read',
    object: outside.length === 0 ? { kind, meta, spec } : reject(outside),
    warnings: [...problems, ...warnings],
    reject,
  };
};
