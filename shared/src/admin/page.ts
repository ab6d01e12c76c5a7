import { type TSchema, Type } from 'typebox';
import { GatehouseError } from '../error.ts';

/** The query of every list: how many at most, and where to go on. Spread it into a route's querystring schema. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'At most so many items; 100 when left out' }),
  ),
  continue: Type.Optional(Type.String({ description: 'Where the page before left off, as it said' })),
};

const defaultLimit = 100;

/** The answer of every list: items in a fixed order, and `continue` when there are more. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), continue: Type.Optional(Type.String()) });

export interface PageQuery {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

/**
 * One page of `items` in the order of `keyOf`, which must be unique. A page goes on after the last key sent, so nothing
 * is skipped or said twice when items come and go between two pages.
 */
export const paginate = <T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  query: PageQuery,
): { items: T[]; continue?: string } => {
  const after = query.continue === undefined ? undefined : readContinue(query.continue);
  const limit = query.limit ?? defaultLimit;
  const rest = [...items]
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => after === undefined || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(rest.length > limit && last !== undefined ? { continue: writeContinue(last.key) } : {}),
  };
};

const writeContinue = (key: string): string => Buffer.from(key, 'utf8').toString('base64url');

const readContinue = (text: string): string => {
  const key = Buffer.from(text, 'base64url').toString('utf8');
  if (writeContinue(key) !== text) {
    throw new GatehouseError('invalid-argument', '`continue` must be what the page before said');
  }
  return key;
};
