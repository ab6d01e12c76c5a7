import { GatehouseError } from '@gatehouse/core/error';
import { everything, type LabelSelector, selects } from '@gatehouse/core/label-selector';
import { parseLabelSelector } from '@gatehouse/core/parse-label-selector';
import { printProblem } from '@gatehouse/core/problem';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import {
  limitOf,
  type Page,
  type PageQuery,
  readContinue,
  writeContinue,
} from '@gatehouse/platform/http/page';
import type { Permitted } from '@gatehouse/platform/http/permitted';
import type { Target } from '../../core/inbound/workload-of.ts';
import { Turns } from '../turns.ts';
import { workloadKinds } from './rest-workload.ts';

export interface WorkloadsQuery extends PageQuery {
  /** Already permitted. */
  readonly namespace?: string | undefined;
  /** Undefined = both. */
  readonly kind?: Target['kind'] | undefined;
  /** `KIND/NAME` of what made the pods. */
  readonly owner?: string | undefined;
  /** Which labels they have, as kubectl writes it. */
  readonly selector?: string | undefined;
}

/** So many namespaces are asked about together. */
const batch = 16;

/**
 * One page of the workloads that the caller may see, by namespace, then kind (pods first), then name. Namespaces are looked into
 * one after the other until the page is full, and of each no more than the page has room for is put in order, so that 10,000
 * pods cost one look at each.
 */
export const pageOfWorkloads = async (
  index: Pick<ResourceIndex, 'in' | 'namespacesOf'>,
  permitted: Pick<Permitted<string>, 'among'> | 'everything',
  query: WorkloadsQuery,
): Promise<Page<Target>> => {
  const limit = limitOf(query);
  const after = query.continue === undefined ? undefined : readPlace(query.continue);
  const selector = selectorOf(query);
  const turns = new Turns();
  const found: Target[] = [];
  for await (const namespace of namespacesOf(index, permitted, { after: after?.namespace, query })) {
    await turns.next();
    for (const kind of workloadKinds) {
      if (query.kind !== undefined && query.kind !== kind) continue;
      const known = index.in(kind, namespace).values() as Iterable<Target>;
      const workloads = [...known].filter(
        (one) =>
          (after === undefined || isAfter(placeOf(one), after)) &&
          (query.owner === undefined || ownerOf(one) === query.owner) &&
          selects(selector, one.meta.labels),
      );
      // One more than fits says that there is a next page.
      found.push(...firstByName(workloads, limit + 1 - found.length));
    }
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return {
    items,
    ...(found.length > limit && last !== undefined
      ? { continue: writeContinue(printPlace(placeOf(last))) }
      : {}),
  };
};

async function* namespacesOf(
  index: Pick<ResourceIndex, 'namespacesOf'>,
  permitted: Pick<Permitted<string>, 'among'> | 'everything',
  { after = '', query }: { readonly after: string | undefined; readonly query: WorkloadsQuery },
): AsyncGenerator<string> {
  if (query.namespace !== undefined) {
    yield query.namespace;
    return;
  }
  const all = [...new Set(workloadKinds.flatMap((kind) => [...index.namespacesOf(kind)]))]
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

/** Where a workload is in the list. */
interface Place {
  readonly namespace: string;
  readonly kind: Target['kind'];
  readonly name: string;
}

const placeOf = ({ kind, meta: { namespace, name } }: Target): Place => ({ namespace, kind, name });

const isAfter = (a: Place, b: Place): boolean => {
  if (a.namespace !== b.namespace) return a.namespace > b.namespace;
  return a.kind === b.kind ? a.name > b.name : workloadKinds.indexOf(a.kind) > workloadKinds.indexOf(b.kind);
};

const printPlace = ({ namespace, kind, name }: Place): string => `${namespace}/${kind}/${name}`;

const readPlace = (text: string): Place => {
  const [namespace, kindText, name, ...rest] = readContinue(text).split('/');
  const kind = workloadKinds.find((each) => each === kindText);
  if (namespace && kind && name && rest.length === 0) return { namespace, kind, name };
  throw new GatehouseError('invalid-argument', '`continue` must be what the page before said');
};

const selectorOf = ({ selector: text = '' }: WorkloadsQuery): LabelSelector => {
  if (text === '') return everything;
  const selector = parseLabelSelector(text, 'selector');
  if (selector.ok) return selector.value;
  throw new GatehouseError('invalid-argument', selector.problems.map(printProblem).join('; '));
};

const ownerOf = (one: Target): string | undefined => {
  const owner = one.kind === 'Pod' ? one.spec.owner : undefined;
  return owner && `${owner.kind}/${owner.name}`;
};

const byName = (a: Target, b: Target): number => compareText(a.meta.name, b.meta.name);

/** The first so many in order, without putting all the others in order too. */
const firstByName = (workloads: readonly Target[], count: number): readonly Target[] => {
  if (workloads.length <= 2 * count) return workloads.toSorted(byName).slice(0, count);
  let first: Target[] = [];
  let highest: string | undefined;
  for (const one of workloads) {
    if (highest !== undefined && one.meta.name >= highest) continue;
    first.push(one);
    if (first.length < 2 * count) continue;
    first = first.sort(byName).slice(0, count);
    highest = first.at(-1)?.meta.name;
  }
  return first.sort(byName).slice(0, count);
};
