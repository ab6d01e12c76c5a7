import { GatehouseError } from '@gatehouse/core/error';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import {
  limitOf,
  type Page,
  type PageQuery,
  readContinue,
  writeContinue,
} from '@gatehouse/platform/http/page';
import type { Permitted } from '@gatehouse/platform/http/permitted';
import { Turns } from '../turns.ts';

type Pod = KubeObject<'Pod'>;

export interface PodsQuery extends PageQuery {
  /** Already permitted. */
  readonly namespace?: string | undefined;
  /** `KIND/NAME` of what made the pods. */
  readonly owner?: string | undefined;
}

/** So many namespaces are asked about together. */
const batch = 16;

/**
 * One page of the pods that the caller may see, by namespace, then name. Namespaces are looked into one after the other until
 * the page is full, and of each no more than the page has room for is put in order, so that 10,000 pods cost one look at each.
 */
export const pageOfPods = async (
  index: Pick<ResourceIndex, 'in' | 'namespacesOf'>,
  permitted: Pick<Permitted<string>, 'among'> | 'everything',
  query: PodsQuery,
): Promise<Page<Pod>> => {
  const limit = limitOf(query);
  const after = query.continue === undefined ? undefined : readPlace(query.continue);
  const turns = new Turns();
  const found: Pod[] = [];
  for await (const namespace of namespacesOf(index, permitted, { after: after?.namespace, query })) {
    await turns.next();
    const name = namespace === after?.namespace ? after.name : '';
    const pods = [...index.in('Pod', namespace).values()].filter(
      (pod) => pod.meta.name > name && (query.owner === undefined || ownerOf(pod) === query.owner),
    );
    // One more than fits says that there is a next page.
    found.push(...firstByName(pods, limit + 1 - found.length));
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const last = items.at(-1)?.meta;
  return {
    items,
    ...(found.length > limit && last !== undefined
      ? { continue: writeContinue(`${last.namespace}/${last.name}`) }
      : {}),
  };
};

async function* namespacesOf(
  index: Pick<ResourceIndex, 'namespacesOf'>,
  permitted: Pick<Permitted<string>, 'among'> | 'everything',
  { after = '', query }: { readonly after: string | undefined; readonly query: PodsQuery },
): AsyncGenerator<string> {
  if (query.namespace !== undefined) {
    yield query.namespace;
    return;
  }
  const all = index
    .namespacesOf('Pod')
    .filter((namespace) => namespace >= after)
    .sort(compareText);
  if (permitted === 'everything') {
    yield* all;
    return;
  }
  for (let at = 0; at < all.length; at += batch) {
    const some = all.slice(at, at + batch).map((namespace) => ({ key: namespace, item: namespace }));
    for (const { item } of await permitted.among(some, some.length)) yield item;
  }
}

const readPlace = (text: string): { readonly namespace: string; readonly name: string } => {
  const [namespace, name, ...rest] = readContinue(text).split('/');
  if (namespace && name && rest.length === 0) return { namespace, name };
  throw new GatehouseError('invalid-argument', '`continue` must be what the page before said');
};

const ownerOf = ({ spec }: Pod): string | undefined =>
  spec.owner === undefined ? undefined : `${spec.owner.kind}/${spec.owner.name}`;

const byName = (a: Pod, b: Pod): number => compareText(a.meta.name, b.meta.name);

/** The first so many in order, without putting all the others in order too. */
const firstByName = (pods: readonly Pod[], count: number): readonly Pod[] => {
  if (pods.length <= 2 * count) return pods.toSorted(byName).slice(0, count);
  let first: Pod[] = [];
  let highest: string | undefined;
  for (const pod of pods) {
    if (highest !== undefined && pod.meta.name >= highest) continue;
    first.push(pod);
    if (first.length < 2 * count) continue;
    first = first.sort(byName).slice(0, count);
    highest = first.at(-1)?.meta.name;
  }
  return first.sort(byName).slice(0, count);
};
