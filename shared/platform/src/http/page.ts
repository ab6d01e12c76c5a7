import { GatehouseError } from '@gatehouse/core/error';
import { type TSchema, Type } from 'typebox';

/** The query of every list: how many at most, and where to go on. Spread it into a route's querystring schema. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'At most so many items. Default: 100' }),
  ),
  continue: Type.Optional(Type.String({ description: 'Where the page before left off, as it said' })),
};

/** For lists of what belongs to a namespace; the guard sees that the caller may read there. */
export const namespaceQuery = {
  namespace: Type.Optional(Type.String({ description: 'Default: every namespace that the caller may see' })),
};

const defaultLimit = 100;

/** The answer of every list: items in a fixed order, and `continue` when there are more. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), continue: Type.Optional(Type.String()) });

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

/** One page of a list. */
export interface Page<T> {
  items: T[];
  continue?: string;
}

/** An item with its place in the list. */
export interface Keyed<T> {
  readonly key: string;
  readonly item: T;
}

/**
 * One page of `items` in the order of `keyOf`, which must be unique. A page goes on after the last key sent, so nothing
 * is skipped or said twice when items come and go between two pages.
 */
export const paginate = <T>(items: Iterable<T>, keyOf: (item: T) => string, query: PageQuery): Page<T> =>
  pageFrom(inOrder(items, keyOf, query), query);

/** Whatever comes after the page before, in the order of the list. */
export const inOrder = <T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  query: PageQuery,
): readonly Keyed<T>[] => {
  const after = query.continue === undefined ? undefined : readContinue(query.continue);
  return [...items]
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
};

/** The first page of what is left of a list. */
export const pageFrom = <T>(rest: readonly Keyed<T>[], query: PageQuery): Page<T> => {
  const limit = limitOf(query);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(rest.length > limit && last !== undefined ? { continue: writeContinue(last.key) } : {}),
  };
};

export const limitOf = ({ limit = defaultLimit }: PageQuery): number => limit;

/** How `continue` says a key. */
export const writeContinue = (key: string): string => Buffer.from(key, 'utf8').toString('base64url');

/** Throws `invalid-argument` for what no page has said. */
export const readContinue = (text: string): string => {
  const key = Buffer.from(text, 'base64url').toString('utf8');
  if (writeContinue(key) !== text) {
    throw new GatehouseError('invalid-argument', '`continue` must be what the page before said');
  }
  return key;
};
