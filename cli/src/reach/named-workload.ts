import { GatehouseError } from '@gatehouse/core/error';
import type { PolicyAnswers, WorkloadItem } from './policy-answers.ts';

/** What a command line calls a workload: a pod, or all pods of what made them. */
export type NamedWorkload =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
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

const podWords: readonly string[] = ['pod', 'pods', 'po'];

/** Reads `POD`, `NAMESPACE/POD`, `deploy/NAME`, `sts/NAME` and the like. */
export const readWorkload = (text: string, namespace: string): NamedWorkload => {
  const parts = text.split('/');
  // As these commands print it: NAMESPACE/deploy/NAME.
  const [home, ...inHome] = parts;
  if (parts.length === 3 && home && isKind(inHome[0])) return readWorkload(inHome.join('/'), home);
  const [first = '', second, ...rest] = parts;
  if (first === '' || second === '' || rest.length > 0) {
    throw new GatehouseError(
      'invalid-argument',
      `${text} names no workload: use POD, NAMESPACE/POD, deploy/NAME or sts/NAME, and -n NAMESPACE`,
    );
  }
  if (second === undefined) return { kind: 'pod', namespace, name: first };
  const kind = isKind(first) ? ownerKinds[first] : undefined;
  if (kind !== undefined) return { kind: 'owner', namespace, owner: `${kind}/${second}`, text };
  return podWords.includes(first)
    ? { kind: 'pod', namespace, name: second }
    : { kind: 'pod', namespace: first, name: second };
};

const isKind = (word = ''): boolean => Object.hasOwn(ownerKinds, word) || podWords.includes(word);

/** Says beside that there is no such pod where those are that there are. */
export const whereIsIt = async <T>(namespace: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'not-found' || !/no pod /.test(error.message))
      throw error;
    throw new GatehouseError('not-found', `${error.message}: ${listThose(namespace)}`, { cause: error });
  }
};

const listThose = (namespace: string): string =>
  `\`gatehouse policy -n ${namespace}\` on the same mesh or folder (--dir, --state, --context) lists its pods`;

/** Pods that policy treats alike, the first of which stands for all. */
export interface AlikePods {
  readonly namespace: string;
  readonly pods: readonly [string, ...string[]];
  /** `KIND/NAME`; undefined for pods of their own. */
  readonly owner: string | undefined;
}

/** As many as a page has at most. */
const pageLimit = 1_000;

/** Every pod of a query, page after page. */
export async function* allWorkloads(
  answers: PolicyAnswers,
  query: { readonly namespace?: string | undefined; readonly owner?: string },
): AsyncGenerator<WorkloadItem> {
  let mark: string | undefined;
  do {
    const page = await answers.workloads({ ...query, limit: pageLimit, continue: mark });
    yield* page.items;
    mark = page.continue;
  } while (mark !== undefined);
}

/** Which pods are meant, alike ones together. Throws when there are none. */
export const podsOf = async (named: NamedWorkload, answers: PolicyAnswers): Promise<readonly AlikePods[]> => {
  const { namespace } = named;
  if (named.kind === 'pod') return [{ namespace, pods: [named.name], owner: undefined }];
  const items: WorkloadItem[] = [];
  for await (const item of allWorkloads(answers, { namespace, owner: named.owner })) items.push(item);
  const alike = groupAlike(items).map(({ first, pods }) => ({
    namespace,
    pods: [first.workload.pod, ...pods.slice(1)] as const,
    owner: named.owner,
  }));
  if (alike.length > 0) return alike;
  throw new GatehouseError(
    'not-found',
    `no pod in the namespace ${namespace} is of ${named.text}: ${listThose(namespace)}`,
  );
};

/** Pods of one owner that have the same ports with the same rows, in the order of the first of each. */
export const groupAlike = (
  items: readonly WorkloadItem[],
): readonly { readonly first: WorkloadItem; readonly pods: readonly string[] }[] => {
  const groups = new Map<string, { readonly first: WorkloadItem; readonly pods: string[] }>();
  for (const item of items) {
    const { workload, owner, enforcement, ports, otherPorts, selectedBy } = item;
    const key = JSON.stringify([
      workload.namespace,
      owner ?? workload.pod,
      enforcement,
      selectedBy.map(({ kind, name }) => [kind, name]),
      ports.map((port) => [port.port, port.names, port.enforcement, port.version, port.governedBy?.text]),
      [otherPorts?.enforcement, otherPorts?.version, otherPorts?.governedBy?.text],
    ]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { first: item, pods: [workload.pod] });
    else known.pods.push(workload.pod);
  }
  return [...groups.values()];
};
