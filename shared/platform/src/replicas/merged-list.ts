import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { AdminApp } from '../http/admin-app.ts';
import { limitOf, type PageQuery, pageOf, pageQuery, paginate, writeContinue } from '../http/page.ts';
import { Permitted } from '../http/permitted.ts';
import type { AdminResource } from '../http/route-access.ts';
import { answerPeers } from './answer-peers.ts';
import { leadsNowhere, mergeParts, type Part } from './merge-parts.ts';
import { type PeerQuery, type PeerQuestion, type Replicas, Unreached } from './replicas.ts';
import { searchPage } from './search-page.ts';

/** An item of a merged list says which replica has it. */
export type OfReplica<Item> = Item & { readonly replica: string };

/** A list of which every replica has a part of its own. */
export interface MergedList<Query extends TProperties, Item extends TObject, Row> {
  /** Served at `/v1/PATH`, and to other replicas at `/internal/v1/PATH`. */
  readonly path: string;
  /** What its callers must be allowed to get, by namespace. */
  readonly reads: AdminResource;
  readonly summary: string;
  /** The filters beside `limit` and `continue`; every replica applies them to its own part. */
  readonly query: Query;
  readonly item: Item;
  /** What this process has. */
  readonly own: (query: Static<TObject<Query>>) => Iterable<Row>;
  readonly print: (row: Row) => Static<Item>;
  /** Sorts as text; what has the same key is the same thing, on whatever replica. */
  readonly keyOf: (row: Row, replica: string) => string;
  /** The key again, from what a replica sent. */
  readonly keyOfItem: (item: OfReplica<Static<Item>>) => string;
  /** The replica that an item is of, where that is not the one that told of it. */
  readonly replicaOf?: (item: Static<Item>) => string | undefined;
  /** Items without a namespace are for those who may see all. */
  readonly namespaceOf: (item: Static<Item>) => string | undefined;
}

/** How long a page may be searched for what its caller may see. */
const searchMs = 5_000;

/** The largest page there is. */
const most = 1_000;

/**
 * Serves a list of all replicas: each is asked for its first items after `continue`, the parts are merged in order, and
 * who could not be asked is named in `partial`. What a caller may not see is left out here, after merging, so that
 * replicas need to know nothing of each other's callers.
 */
export const mergedList = <Query extends TProperties, Item extends TObject, Row>(
  app: AdminApp,
  replicas: Replicas,
  list: MergedList<Query, Item, Row>,
): void => {
  type Asked = PageQuery & Static<TObject<Query>>;
  type Found = OfReplica<Static<Item>>;
  const { self } = replicas;
  const querystring = Type.Object({ ...pageQuery, ...list.query });
  const page = pageOf(list.item);
  const validator = Compile(page);

  const ownPage = (query: Asked): Answer<Item> => {
    const own = paginate(list.own(query), (row) => list.keyOf(row, self.name), query);
    return { ...own, items: own.items.map(list.print) };
  };
  answerPeers(app, self, {
    path: list.path,
    querystring,
    answer: page,
    own: (query) => ownPage(query as Asked),
  });

  const question: PeerQuestion<Answer<Item>> = {
    path: list.path,
    read: (answer) => (validator.Check(answer) ? (answer as Answer<Item>) : undefined),
  };
  const partOf = (replica: string, answer: Answer<Item>): Part<Found> => {
    const items = answer.items.map(
      (item): Found => ({ ...item, replica: list.replicaOf?.(item) ?? replica }),
    );
    return {
      items: items.map((item) => ({ key: list.keyOfItem(item), item })),
      more: answer.continue !== undefined,
    };
  };
  const next = async (query: Asked, after: string | undefined) => {
    // First ourselves: what is wrong with the query is then said in our own words, and nobody else is bothered.
    const parts = [partOf(self.name, ownPage(query))];
    const { answers, partial } = await replicas.ask(question, query as PeerQuery);
    const missing = [...partial];
    for (const { replica, answer } of answers) {
      const part = partOf(replica, answer);
      if (leadsNowhere(part, after)) missing.push({ replica, reason: 'its pages lead nowhere' });
      else parts.push(part);
    }
    const isHearsay = (one: Found): boolean => list.replicaOf?.(one) !== undefined;
    return { ...mergeParts(parts, after, isHearsay), partial: missing };
  };

  const item = Type.Object({
    ...list.item.properties,
    replica: Type.String({ description: 'Which has it' }),
  });
  const partial = Type.Array(Unreached, { description: 'Replicas whose part is missing' });
  app.get(
    `/v1/${list.path}`,
    {
      config: { access: { reads: list.reads } },
      schema: {
        summary: list.summary,
        querystring,
        response: { 200: Type.Object({ ...pageOf(item).properties, partial }) },
      },
    },
    async (request) => {
      const query = request.query as Asked;
      const begun = performance.now();
      const permitted = new Permitted<Found>(request, list.namespaceOf);
      // Who may see only a part has to look through much of the rest.
      const limit = (await permitted.all()) ? Math.min(limitOf(query) + 1, most) : most;
      const found = searchPage<Found>({
        query,
        next: (after) =>
          next(
            { ...query, ...(after === undefined ? {} : { continue: writeContinue(after) }), limit },
            after,
          ),
        permitted: (items, enough) => permitted.among(items, enough),
        isLate: () => performance.now() - begun > searchMs,
      });
      return found as Promise<never>;
    },
  );
};

/** What a replica answers to another, checked by the schema of its items. */
interface Answer<Item extends TObject> {
  readonly items: readonly (Static<Item> & object)[];
  readonly continue?: string;
}
