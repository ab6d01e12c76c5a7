import type { Parsed, Problem } from '@gatehouse/core/problem';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { kindOf } from '../kind-table.ts';
import type { WireObject } from '../parse/fields.ts';
import { readObject } from '../read-object.ts';
import { fillIn, leavesAddressOut } from './fill-in.ts';
import { unactedKind } from './unacted-kinds.ts';
import { isWorkloadKind, readWorkload, type Workload } from './workload.ts';
import { closingKindsMeant, isForeignKind, unknownKind, writtenKind } from './written-kind.ts';
import { writtenText } from './written-text.ts';

/** What one document of a manifest stands for, before anything is known of the other manifests. */
export type Draft =
  | {
      readonly type: 'object';
      readonly object: KubeObject;
      /** No address is written, so one is assigned. */
      readonly wantsAddress: boolean;
      readonly reject: ((problems: readonly Problem[]) => KubeObject) | undefined;
      /** The manifest that held it last, where this one cannot be read and only may hold it (MovedObjects). */
      readonly lastIn?: string;
    }
  | { readonly type: 'workload'; readonly workload: Workload };

/**
 * The services that a remark concerns: those that watch the kind, or all. What is written of a kind that no service watches
 * concerns none more than another, so one says it for all.
 */
export type Concern = Kind | 'all' | 'unwatched';

/** Something to tell people, with the object it is about; once per cause. */
export interface Remark {
  readonly concern: Concern;
  readonly object: string;
  readonly problem: Problem;
}

export interface Drafts {
  readonly drafts: readonly Draft[];
  readonly remarks: readonly Remark[];
  /** The kinds of others that are not read, such as ConfigMap: most folders hold some. */
  readonly foreignKinds: readonly string[];
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
): Parsed<{ readonly draft?: Draft; readonly remarks: readonly Remark[]; readonly foreignKind?: string }> => {
  const { group, wireKind } = writtenKind(document);
  const about = `${wireKind} ${nameIn(document)}`;
  const remark = (problem: Problem, concern: Concern): Remark => ({ concern, object: about, problem });
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
    const written = { group, wireKind };
    if (isForeignKind(written)) return { ok: true, value: { remarks: [], foreignKind: wireKind } };
    const unknown = unknownKind(written);
    return closingKindsMeant(written).length > 0
      ? { ok: false, problems: [unknown] }
      : { ok: true, value: { remarks: [remark(unknown, 'unwatched')] } };
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
      const unwatched = unacted === undefined ? [] : [remark(unacted, 'unwatched')];
      return {
        ok: true,
        value: { draft, remarks: [...unwatched, ...warnings.map((problem) => remark(problem, kind))] },
      };
    }
  }
};

/** Reads every document; one that nobody can place makes the whole manifest unreadable. */
export const draftAll = (documents: readonly WireObject[], budgets?: ObjectBudgets): Parsed<Drafts> => {
  const drafts: Draft[] = [];
  const remarks: Remark[] = [];
  const foreignKinds: string[] = [];
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
    if (read.value.foreignKind !== undefined) foreignKinds.push(read.value.foreignKind);
  }
  return { ok: true, value: { drafts, remarks, foreignKinds } };
};
