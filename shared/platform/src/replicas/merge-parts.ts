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
 * beyond that key nobody knows yet what comes next. Nothing at or before `after` is in it, whatever a part says.
 */
export const mergeParts = <T>(parts: readonly Part<T>[], after: string | undefined): Part<T> => {
  const ends = parts.filter(({ more }) => more).map(({ items }) => lastKey(items));
  const [horizon] = ends.sort();
  const items = new Map<string, Keyed<T>>();
  for (const keyed of parts.flatMap((part) => part.items)) {
    if (after !== undefined && keyed.key <= after) continue;
    if (horizon !== undefined && keyed.key > horizon) continue;
    if (!items.has(keyed.key)) items.set(keyed.key, keyed);
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
