import { GatehouseError } from '@gatehouse/core/error';
import { quoted } from '@gatehouse/core/foreign-text';
import type { PolicyAnswers, WorkloadItem, WorkloadName, WorkloadsQuery } from './policy-answers.ts';

/** What a command line calls a workload: a pod, an ExternalWorkload, or all pods of what made them. */
export type NamedWorkload =
  | { readonly kind: 'one'; readonly workload: WorkloadName }
  | { readonly kind: 'owner'; readonly namespace: string; readonly owner: string; readonly text: string };

/** Owners as kubectl writes them, and how a pod says whose it is. */
const ownerKinds: Readonly<Record<string, string>> = {
  deploy: 'Deployment',
  deployment: 'Deployment',
  deployments: 'Deployment',
  sts: 'StatefulSet',
  statefulset: 'StatefulSet',
  statefulsets: 'StatefulSet',
  ds: 'DaemonSet',
  daemonset: 'DaemonSet',
  daemonsets: 'DaemonSet',
  job: 'Job',
  jobs: 'Job',
};

/** What is called by its own name, as kubectl writes it. */
const workloadKinds: Readonly<Record<string, WorkloadName['kind']>> = {
  pod: 'Pod',
  pods: 'Pod',
  po: 'Pod',
  externalworkload: 'ExternalWorkload',
  externalworkloads: 'ExternalWorkload',
};

/** Reads `POD`, `NAMESPACE/POD`, `deploy/NAME`, `sts/NAME`, `externalworkload/NAME` and the like. */
export const readWorkload = (text: string, namespace: string): NamedWorkload => {
  const parts = text.split('/');
  // As these commands print it: NAMESPACE/deploy/NAME.
  const [home, ...inHome] = parts;
  if (parts.length === 3 && home && isKind(inHome[0])) return readWorkload(inHome.join('/'), home);
  const [first = '', second, ...rest] = parts;
  if (first === '' || second === '' || rest.length > 0) {
    throw new GatehouseError(
      'invalid-argument',
      `${text} names no workload: use POD, NAMESPACE/POD, deploy/NAME, sts/NAME or externalworkload/NAME, and -n NAMESPACE`,
    );
  }
  const one = (workload: WorkloadName): NamedWorkload => ({ kind: 'one', workload });
  if (second === undefined) return one({ kind: 'Pod', namespace, name: first });
  const owner = isIn(ownerKinds, first) ? ownerKinds[first] : undefined;
  if (owner !== undefined) return { kind: 'owner', namespace, owner: `${owner}/${second}`, text };
  const kind = isIn(workloadKinds, first) ? workloadKinds[first] : undefined;
  return kind === undefined
    ? one({ kind: 'Pod', namespace: first, name: second })
    : one({ kind, namespace, name: second });
};

const isIn = (words: object, word: string): boolean => Object.hasOwn(words, word);
const isKind = (word = ''): boolean => isIn(ownerKinds, word) || isIn(workloadKinds, word);

/** Adds to the error that a workload is not found how to list those that exist. */
export const whereIsIt = async <T>(namespace: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (
      !(error instanceof GatehouseError) ||
      error.code !== 'not-found' ||
      !/no (?:pod|ExternalWorkload) /.test(error.message)
    )
      throw error;
    throw new GatehouseError('not-found', `${error.message}: ${listThose(namespace)}`, { cause: error });
  }
};

const listThose = (namespace: string): string =>
  `\`gatehouse policy -n ${namespace}\` on the same mesh or folder (--dir, --state, --context) lists its workloads`;

/** Workloads that policy treats alike, the first of which stands for all. */
export interface AlikeWorkloads {
  readonly kind: WorkloadName['kind'];
  readonly namespace: string;
  readonly names: readonly [string, ...string[]];
  /** `KIND/NAME`; undefined for those of their own. */
  readonly owner: string | undefined;
}

/** As many as a page has at most. */
const pageLimit = 1_000;

/** For programs: the pods among them. */
export const podsAmong = ({ kind, names }: AlikeWorkloads): readonly string[] =>
  kind === 'Pod' ? names : [];

/** The first of them, which is asked about. */
export const firstOf = ({ kind, namespace, names: [name] }: AlikeWorkloads): WorkloadName => ({
  kind,
  namespace,
  name,
});

/** Every workload of a query, page after page. */
export async function* allWorkloads(
  answers: PolicyAnswers,
  query: Pick<WorkloadsQuery, 'namespace' | 'owner' | 'selector'>,
): AsyncGenerator<WorkloadItem> {
  let mark: string | undefined;
  do {
    const page = await answers.workloads({ ...query, limit: pageLimit, continue: mark });
    yield* page.items;
    mark = page.continue;
  } while (mark !== undefined);
}

/** Which workloads are meant, alike ones together. Throws when there are none. */
export const workloadsOf = async (
  named: NamedWorkload,
  answers: PolicyAnswers,
): Promise<readonly AlikeWorkloads[]> => {
  if (named.kind === 'one') {
    const { kind, namespace, name } = named.workload;
    return [{ kind, namespace, names: [name], owner: undefined }];
  }
  const { namespace } = named;
  const items: WorkloadItem[] = [];
  for await (const item of allWorkloads(answers, { namespace, owner: named.owner })) items.push(item);
  const alike = groupAlike(items).map(({ first, names }) => ({
    kind: first.workload.kind,
    namespace,
    names: [first.workload.name, ...names.slice(1)] as const,
    owner: named.owner,
  }));
  if (alike.length > 0) return alike;
  throw new GatehouseError(
    'not-found',
    `no pod in the namespace ${namespace} is of ${named.text}: ${listThose(namespace)}`,
  );
};

/** All of a namespace that have these labels, alike ones together. Throws when there are none. */
export const workloadsWith = async (
  query: { readonly namespace: string | undefined; readonly selector: string | undefined },
  answers: PolicyAnswers,
): Promise<readonly AlikeWorkloads[]> => {
  const items: WorkloadItem[] = [];
  for await (const item of allWorkloads(answers, query)) items.push(item);
  if (items.length === 0) throw new GatehouseError('not-found', sayNone(query));
  return groupAlike(items).map(({ first: { workload, owner }, names }) => ({
    kind: workload.kind,
    namespace: workload.namespace,
    names: [workload.name, ...names.slice(1)] as const,
    owner: owner === null ? undefined : `${owner.kind}/${owner.name}`,
  }));
};

const sayNone = ({
  namespace,
  selector,
}: {
  readonly namespace: string | undefined;
  readonly selector: string | undefined;
}): string => {
  const labelled = selector === undefined ? '' : ` has the labels ${quoted(selector)}`;
  return namespace === undefined
    ? `no workload of any namespace that you may see${labelled}`
    : `no workload in the namespace ${namespace}${labelled}: ${listThose(namespace)}`;
};

/** Workloads of one owner that have the same ports with the same rows, in the order of the first of each. */
export const groupAlike = (
  items: readonly WorkloadItem[],
): readonly { readonly first: WorkloadItem; readonly names: readonly string[] }[] => {
  const groups = new Map<string, { readonly first: WorkloadItem; readonly names: string[] }>();
  for (const item of items) {
    const { workload, owner, enforcement, ports, otherPorts, selectedBy } = item;
    const key = JSON.stringify([
      workload.namespace,
      workload.kind,
      owner ?? workload.name,
      enforcement,
      selectedBy.map(({ kind, name }) => [kind, name]),
      ports.map((port) => [port.port, port.names, port.enforcement, port.version, port.governedBy?.text]),
      [otherPorts?.enforcement, otherPorts?.version, otherPorts?.governedBy?.text],
    ]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { first: item, names: [workload.name] });
    else known.names.push(workload.name);
  }
  return [...groups.values()];
};
