import type { Keyed } from '../http/page.ts';

/** One replica's part of a list after some key: the first of its items, and whether it has others behind them. */
export interface Part<T> {
  readonly items: readonly Keyed<T>[];
  readonly more: boolean;
}

/** Whether a part says that there is more and does not lead there: a client that goes on would ask forever. */
export const leadsNowhere = ({ items, more }: Part<unknown>, after: string | undefined): boolean =>
  more && !items.some(({ key }) => after === undefined || key > after);

/**
 * The union of parts after the key `after`, in order, each key once. It ends where the first part that has more ends:
 * beyond that key it is not known yet what comes next. Nothing at or before `after` is in it, whatever a part says. Of two items with one
 * key the first counts, unless it is hearsay and the second is not.
 */
export const mergeParts = <T>(
  parts: readonly Part<T>[],
  after: string | undefined,
  isHearsay: (item: T) => boolean = () => false,
): Part<T> => {
  const ends = parts.filter(({ more }) => more).map(({ items }) => lastKey(items));
  const [horizon] = ends.sort();
  const items = new Map<string, Keyed<T>>();
  for (const keyed of parts.flatMap((part) => part.items)) {
    if (after !== undefined && keyed.key <= after) continue;
    if (horizon !== undefined && keyed.key > horizon) continue;
    const known = items.get(keyed.key);
    if (known === undefined || (isHearsay(known.item) && !isHearsay(keyed.item))) items.set(keyed.key, keyed);
  }
  return {
    items: [...items.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    more: horizon !== undefined,
  };
};

const lastKey = (items: readonly Keyed<unknown>[]): string =>
  items
    .map(({ key }) => key)
    .sort()
    .at(-1) ?? '';
