import type { Parsed, Problem } from '@gatehouse/core/problem';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { kindOf } from '../kind-table.ts';
import type { WireObject } from '../parse/fields.ts';
import { readObject } from '../read-object.ts';
import { fillIn, leavesAddressOut } from './fill-in.ts';
import { unactedKind } from './unacted-kinds.ts';
import { isWorkloadKind, readWorkload, type Workload } from './workload.ts';
import { closingKindsMeant, unknownKind, writtenKind } from './written-kind.ts';
import { writtenText } from './written-text.ts';

/** What one document of a manifest stands for, before anything is known of the other manifests. */
export type Draft =
  | {
      readonly type: 'object';
      readonly object: KubeObject;
      /** No address is written, so one is assigned. */
      readonly wantsAddress: boolean;
      readonly reject: ((problems: readonly Problem[]) => KubeObject) | undefined;
    }
  | { readonly type: 'workload'; readonly workload: Workload };

/** Something to tell people, with the object it is about; once per cause. */
export interface Remark {
  /** The kind it concerns, so that a service that does not watch it need not repeat it; undefined concerns all. */
  readonly kind: Kind | undefined;
  readonly object: string;
  readonly problem: Problem;
}

export interface Drafts {
  readonly drafts: readonly Draft[];
  readonly remarks: readonly Remark[];
}

const nameIn = (document: WireObject): string => {
  const { namespace, name } = (document.metadata ?? {}) as {
    readonly namespace?: unknown;
    readonly name?: unknown;
  };
  return namespace === undefined || namespace === ''
    ? writtenText(name)
    : `${writtenText(namespace)}/${writtenText(name)}`;
};

const draftOf = (
  document: WireObject,
  budgets: ObjectBudgets | undefined,
): Parsed<{ readonly draft?: Draft; readonly remarks: readonly Remark[] }> => {
  const { group, wireKind } = writtenKind(document);
  const about = `${wireKind} ${nameIn(document)}`;
  const remark = (problem: Problem, kind?: Kind): Remark => ({ kind, object: about, problem });
  if (isWorkloadKind(group, wireKind)) {
    const read = readWorkload(document, wireKind, budgets);
    if (!read.ok) return read;
    const { workload, problems } = read.value;
    return {
      ok: true,
      value: {
        ...(workload === undefined ? {} : { draft: { type: 'workload', workload } }),
        remarks: problems.map((problem) => remark(problem, 'Pod')),
      },
    };
  }
  const kind = kindOf(group, wireKind);
  if (kind === undefined) {
    const unknown = unknownKind({ group, wireKind });
    return closingKindsMeant({ group, wireKind }).length > 0
      ? { ok: false, problems: [unknown] }
      : { ok: true, value: { remarks: [remark(unknown)] } };
  }
  const read = readObject(kind, fillIn(kind, document), budgets);
  switch (read.outcome) {
    case 'unplaced':
      return { ok: false, problems: read.problems };
    case 'refused':
      return { ok: true, value: { remarks: read.problems.map((problem) => remark(problem, kind)) } };
    case 'read': {
      const { object, warnings, reject } = read;
      const draft: Draft = {
        type: 'object',
        object,
        wantsAddress: leavesAddressOut(object, document),
        reject,
      };
      const unacted = unactedKind(kind);
      // Told by every service, as none of them watches the kind.
      const toAll = unacted === undefined ? [] : [remark(unacted)];
      return {
        ok: true,
        value: { draft, remarks: [...toAll, ...warnings.map((problem) => remark(problem, kind))] },
      };
    }
  }
};

/** Reads every document; one that nobody can place makes the whole manifest unreadable. */
export const draftAll = (documents: readonly WireObject[], budgets?: ObjectBudgets): Parsed<Drafts> => {
  const drafts: Draft[] = [];
  const remarks: Remark[] = [];
  for (const [index, document] of documents.entries()) {
    const read = draftOf(document, budgets);
    if (!read.ok) {
      const where = `document ${index + 1} (${writtenText(document.kind)})`;
      return {
        ok: false,
        problems: read.problems.map(({ field, ...rest }) => ({ field: `${where}: ${field}`, ...rest })),
      };
    }
    if (read.value.draft !== undefined) drafts.push(read.value.draft);
    remarks.push(...read.value.remarks);
  }
  return { ok: true, value: { drafts, remarks } };
};
