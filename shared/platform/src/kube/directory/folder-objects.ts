import { quoted } from '@gatehouse/core/foreign-text';
import { injectValues } from '@gatehouse/core/mesh/injection';
import { type Problem, printProblem } from '@gatehouse/core/problem';
import { injectAnnotation } from '@gatehouse/core/resources/annotations';
import type { Unreadable, UnreadableManifest } from '@gatehouse/core/resources/changes';
import { isRejected, type Kind, type KubeObject, type ObjectMeta } from '@gatehouse/core/resources/kinds';
import { rowOf } from '../kind-table.ts';
import { type Candidate, keyOf } from './candidate.ts';
import type { Concern, Draft } from './draft.ts';
import { giveAddresses } from './give-addresses.ts';
import { addImplied } from './implied-objects.ts';
import { injectAll } from './inject-all.ts';
import type { Manifest } from './manifest.ts';
import { type Copies, groupCopies, mergeCore, rejectCopies } from './merge-copies.ts';
import { expandWorkload } from './workload.ts';

/** Every object that a folder stands for, and what is to be said of it: a pure function of its manifests. */
export interface World {
  /** By kind, namespace and name. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  readonly unreadable: Unreadable['manifests'];
  /** Paths of files that are not manifests. */
  readonly foreign: readonly string[];
  /** The kinds of others that are not read, by name. */
  readonly foreignKinds: readonly string[];
  readonly warnings: readonly Warning[];
}

export interface Warning {
  /** '' where no single manifest is to blame. */
  readonly path: string;
  readonly concern: Concern;
  readonly text: string;
}

type Warn = (warning: Warning) => void;
type Placed<D extends Draft = Draft> = D & { readonly path: string };
type PlacedObject = Placed<Extract<Draft, { type: 'object' }>>;
type PlacedWorkload = Placed<Extract<Draft, { type: 'workload' }>>;

const nameOf = (kind: string, { namespace, name }: ObjectMeta): string =>
  `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;

/** The drafts of a manifest; what a broken one held of policy is rejected, of core kinds it stays (design §5.1). */
const draftsOf = ({ path, drafts, state }: Manifest): readonly Placed[] =>
  drafts.map((draft) => {
    if (draft.type !== 'object' || draft.reject === undefined || state.kind !== 'broken')
      return { ...draft, path };
    const may = draft.lastIn === undefined ? '' : `, and may hold what ${draft.lastIn} no longer does`;
    const where = state.problem.field === '' ? '' : `${state.problem.field}: `;
    const problem: Problem = {
      field: path,
      found: `cannot be read${may}: ${where}${state.problem.found}`,
      fix: state.problem.fix,
    };
    return { ...draft, path, object: draft.reject([problem]) };
  });

/** What a manifest closes that was never read. */
const closedBy = (namespaces: UnreadableManifest['namespaces']): string => {
  if (namespaces.length === 0) return 'nothing of it counts';
  const places = namespaces === 'all' ? 'anywhere' : `in ${namespaces.join(', ')}`;
  return `only what policies grant on whole ports is open ${places}`;
};

const manifestWarnings = ({ path, remarks, state }: Manifest): readonly Warning[] => [
  ...remarks.map(({ concern, object, problem }) => ({
    path,
    concern,
    text: `${object}: ${printProblem(problem)}`,
  })),
  ...(state.kind === 'read' || state.kind === 'foreign'
    ? []
    : [
        {
          path,
          concern: 'all' as const,
          text:
            state.kind === 'broken'
              ? `cannot be read: ${printProblem(state.problem)}; its policies are closed and its other objects stay as they were`
              : `cannot be read: ${printProblem(state.problem)}; until it can, ${closedBy(state.namespaces)}`,
        },
      ]),
];

const pathsOf = (copies: readonly { readonly path: string }[]): string =>
  [...new Set(copies.map(({ path }) => path))].join(', ');

const printCopies = (name: string, { first, others }: Copies<{ readonly path: string }>): string =>
  `${name} is written ${others.length + 1} times, in ${pathsOf([first, ...others])}`;

const warnOfCopies = (name: string, kind: Kind, copies: Copies<Placed>, warn: Warn): void =>
  warn({
    path: copies.first.path,
    concern: kind,
    text: `${printCopies(name, copies)}: the first copy counts`,
  });

/** One candidate for each name: of core kinds the first copy counts, of policy kinds none does. */
const mergeObjects = (copies: Copies<PlacedObject>, warn: Warn): Candidate => {
  const { first, others } = copies;
  if (others.length === 0) return first;
  const { kind, meta } = first.object;
  const name = nameOf(rowOf(kind).wireKind, meta);
  if (rowOf(kind).class === 'core') {
    warnOfCopies(name, kind, copies, warn);
    return {
      ...first,
      object: mergeCore({ first: first.object, others: others.map(({ object }) => object) }),
    };
  }
  const problem: Problem = {
    field: 'metadata.name',
    found: printCopies(name, copies),
    fix: 'keep one of them',
  };
  const rejected = ({ object, reject }: PlacedObject): KubeObject => reject?.([problem]) ?? object;
  return {
    ...first,
    object: rejectCopies({ first: rejected(first), others: others.map(rejected) }, problem),
  };
};

/** The pods of each workload, in the place of its manifest. */
const expand = (
  copies: Copies<PlacedWorkload>,
  nodes: readonly string[],
  warn: Warn,
): readonly PlacedObject[] => {
  const { first, others } = copies;
  if (others.length > 0)
    warnOfCopies(nameOf(first.workload.kind, first.workload.template.meta), 'Pod', copies, warn);
  const template = mergeCore({
    first: first.workload.template,
    others: others.map(({ workload }) => workload.template),
  });
  return expandWorkload({ ...first.workload, template }, nodes).map((object) => ({
    type: 'object',
    path: first.path,
    object,
    wantsAddress: true,
    reject: undefined,
  }));
};

const warnOfAccounts = (candidates: readonly Candidate[], warn: Warn): void => {
  const accounts = new Set(
    candidates
      .filter(({ object }) => object.kind === 'ServiceAccount')
      .map(({ object: { meta } }) => `${meta.namespace}/${meta.name}`),
  );
  for (const { path, object } of candidates) {
    if (object.kind !== 'Pod') continue;
    const account = (object as KubeObject<'Pod'>).spec.serviceAccount;
    if (accounts.has(`${object.meta.namespace}/${account}`)) continue;
    const name = nameOf('Pod', object.meta);
    warn({
      path,
      concern: 'Pod',
      text: `${name}: no manifest holds its ServiceAccount \`${account}\`, so it gets no certificate`,
    });
  }
};

/** Said aloud, as a pod without a proxy is governed by nothing. */
const oddInjection = ({ kind, meta }: KubeObject): string =>
  `${nameOf(kind, meta)}: ${injectAnnotation} is ${quoted(meta.annotations[injectAnnotation] ?? '')}, so ${kind === 'Namespace' ? 'its pods get' : 'it gets'} no proxy: use ${injectValues.join(', ')}`;

/** Composes the world from the manifests, in whatever order they come. */
export const composeWorld = (manifests: readonly Manifest[], controlPlaneNamespace: string): World => {
  const ordered = [...manifests].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const warnings: Warning[] = ordered.flatMap(manifestWarnings);
  const warn: Warn = (warning) => warnings.push(warning);
  const drafts = ordered.flatMap(draftsOf);
  const nodes = drafts.flatMap((draft) =>
    draft.type === 'object' && draft.object.kind === 'Node' ? [draft.object.meta.name] : [],
  );
  const workloads = groupCopies(
    drafts.filter((draft) => draft.type === 'workload'),
    ({ workload: { kind, template } }) => nameOf(kind, template.meta),
  );
  const pods = new Map(
    workloads.map((copies) => [copies.first, expand(copies, [...new Set(nodes)].sort(), warn)]),
  );
  const objects = drafts.flatMap((draft) => (draft.type === 'object' ? [draft] : (pods.get(draft) ?? [])));
  const written = groupCopies(objects, ({ object }) => keyOf(object)).map((copies) =>
    mergeObjects(copies, warn),
  );
  const unreadable = ordered.flatMap(({ path, state }) =>
    state.kind === 'unreadable' ? [{ path, problem: state.problem, namespaces: state.namespaces }] : [],
  );
  const all = addImplied(written, { controlPlaneNamespace, unread: unreadable });
  warnOfAccounts(all, warn);
  const injected = injectAll(all, controlPlaneNamespace);
  for (const { path, object } of injected.odd) warn({ path, concern: 'Pod', text: oddInjection(object) });
  const { objects: complete, notes } = giveAddresses(injected.candidates);
  for (const { candidate, text } of notes) {
    const { kind, meta } = candidate.object;
    warn({ path: candidate.path, concern: kind, text: `${nameOf(kind, meta)}: ${text}` });
  }
  for (const { path, object } of written) {
    if (!isRejected(object.spec)) continue;
    const name = nameOf(rowOf(object.kind).wireKind, object.meta);
    warn({
      path,
      concern: object.kind,
      text: `${name} is rejected: ${object.spec.rejected.map(printProblem).join('; ')}`,
    });
  }
  return {
    objects: new Map(complete.map((object) => [keyOf(object), object])),
    unreadable,
    foreign: ordered.flatMap(({ path, state }) => (state.kind === 'foreign' ? [path] : [])),
    foreignKinds: [...new Set(ordered.flatMap(({ foreignKinds }) => foreignKinds))].sort(),
    warnings,
  };
};
