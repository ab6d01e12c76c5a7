import type { AdminApi, Query } from '../../reach/admin-client.ts';
import { type IssuedItem, IssuedPage } from './issued-item.ts';

/** What was found, newest first, and whether that is all. */
export interface Issued {
  readonly items: readonly IssuedItem[];
  readonly hasMore: boolean;
  readonly partial: NonNullable<IssuedPage['partial']>;
}

/** As many as a page has at most. */
const pageLimit = 1_000;

/** Asks page after page until there are `limit`, or no more. */
export const readIssued = async (api: AdminApi, query: Query, limit: number): Promise<Issued> => {
  const items: IssuedItem[] = [];
  const partial = new Map<string, NonNullable<IssuedPage['partial']>[number]>();
  let mark: string | undefined;
  do {
    const page: IssuedPage = await api.json(IssuedPage, '/v1/certificates', {
      ...query,
      limit: Math.min(pageLimit, limit - items.length),
      continue: mark,
    });
    items.push(...page.items);
    for (const each of page.partial ?? []) partial.set(each.replica, each);
    mark = page.continue;
  } while (mark !== undefined && items.length < limit);
  return { items, hasMore: mark !== undefined, partial: [...partial.values()] };
};
