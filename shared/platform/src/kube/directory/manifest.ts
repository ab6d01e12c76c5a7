import { type Problem, printProblem } from '@gatehouse/core/problem';
import type { UnreadableManifest } from '@gatehouse/core/resources/changes';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { type Draft, type Drafts, draftAll, type Remark } from './draft.ts';
import { readDocuments } from './manifest-documents.ts';
import { namespacesOf } from './namespaces-of.ts';

/** What is known of one file of the folder. */
export interface Manifest {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** What it holds, or held when it last could be read. */
  readonly drafts: readonly Draft[];
  readonly remarks: readonly Remark[];
  readonly foreignKinds: readonly string[];
  readonly state:
    | { readonly kind: 'read' }
    /** It is not a manifest, and never was one since the source started. */
    | { readonly kind: 'foreign' }
    /** What it holds now cannot be read; it keeps the objects it held. */
    | { readonly kind: 'broken'; readonly problem: Problem }
    /** It never could be read, so nobody knows what it holds; only in which namespaces, at times. */
    | {
        readonly kind: 'unreadable';
        readonly problem: Problem;
        readonly namespaces: UnreadableManifest['namespaces'];
      };
}

const summary = (problems: readonly Problem[]): Problem => {
  const [first, ...more] = problems;
  if (first === undefined) throw new TypeError('a manifest is unreadable for no reason');
  return { ...first, fix: [first.fix, ...more.map(printProblem)].join('; ') };
};

/** Why a manifest cannot be read, and the namespaces that it is about if at least those can be. */
interface Breakage {
  readonly problems: readonly Problem[];
  readonly namespaces?: UnreadableManifest['namespaces'];
}

const nothing = { drafts: [], remarks: [], foreignKinds: [] } satisfies Drafts;

/** The manifest after a read that failed. */
export const breakManifest = (
  path: string,
  before: Manifest | undefined,
  { problems, namespaces = 'all' }: Breakage,
): Manifest =>
  before === undefined || before.state.kind === 'unreadable'
    ? { path, ...nothing, state: { kind: 'unreadable', problem: summary(problems), namespaces } }
    : { ...before, state: { kind: 'broken', problem: summary(problems) } };

/** A file that held objects was not meant to become something else: its author is in the middle of a change. */
const becameForeign: Problem = {
  field: '',
  found: 'no document says its apiVersion and kind any more',
  fix: 'write whole objects, or remove the file',
};

/** The manifest after its file was read. */
export const parseManifest = (
  path: string,
  before: Manifest | undefined,
  { bytes, budgets }: { readonly bytes: Uint8Array; readonly budgets?: ObjectBudgets | undefined },
): Manifest => {
  const documents = readDocuments(bytes);
  if (!documents.ok) return breakManifest(path, before, documents);
  if (documents.value.kind === 'foreign') {
    const heldObjects = before !== undefined && before.drafts.length > 0;
    return heldObjects
      ? breakManifest(path, before, { problems: [becameForeign] })
      : { path, ...nothing, state: { kind: 'foreign' } };
  }
  const drafts = draftAll(documents.value.objects, budgets);
  return drafts.ok
    ? { path, ...drafts.value, state: { kind: 'read' } }
    : breakManifest(path, before, {
        problems: drafts.problems,
        namespaces: namespacesOf(documents.value.objects),
      });
};
