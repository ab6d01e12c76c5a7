import { GatehouseError } from '@gatehouse/core/error';
import { type Keyed, limitOf, type Page, type PageQuery, pageFrom, readContinue } from '../http/page.ts';
import type { Part } from './merge-parts.ts';
import type { Unreached } from './replicas.ts';

export interface SearchPage<T> {
  readonly query: PageQuery;
  /** What follows a key, in order, and whose part of it is missing. */
  readonly next: (after: string | undefined) => Promise<Part<T> & { readonly partial: readonly Unreached[] }>;
  /** The first `enough` that the caller may see. */
  readonly permitted: (items: readonly Keyed<T>[], enough: number) => Promise<readonly Keyed<T>[]>;
  readonly isLate: () => boolean;
}

/**
 * Asks on until the page is full of what its caller may see. A replica that fails once is missing from the whole page.
 * Throws `deadline-exceeded` rather than to say how far it came: `continue` would name what the caller may not see.
 */
export const searchPage = async <T>({
  query,
  next,
  permitted,
  isLate,
}: SearchPage<T>): Promise<Page<T> & { partial: Unreached[] }> => {
  // One more than fits says that there is a next page.
  const enough = limitOf(query) + 1;
  const found: Keyed<T>[] = [];
  const partial = new Map<string, Unreached>();
  let after = query.continue === undefined ? undefined : readContinue(query.continue);
  for (;;) {
    const part = await next(after);
    for (const unreached of part.partial) partial.set(unreached.replica, unreached);
    found.push(...(await permitted(part.items, enough - found.length)));
    if (found.length === enough || !part.more) {
      return { ...pageFrom(found, query), partial: [...partial.values()] };
    }
    if (isLate()) {
      throw new GatehouseError(
        'deadline-exceeded',
        'too much lies between what you may see: name one namespace, or ask for a smaller page',
      );
    }
    after = part.items.at(-1)?.key ?? after;
  }
};
