import type { FastifyRequest } from 'fastify';
import { GatehouseError } from '../error.ts';
import type { AdminCaller } from './authenticator.ts';
import { inOrder, type Keyed, limitOf, type Page, type PageQuery, pageFrom } from './page.ts';
import { type AdminResource, adminGroup } from './route-access.ts';

/** What is asked of a request here; any Fastify request will do. */
export type Asking = Pick<FastifyRequest, 'caller' | 'routeOptions'>;

/** Whether the caller may see what the route shows in a namespace; undefined = in all of them. */
export const mayRead = (request: Asking, namespace: string | undefined): Promise<boolean> => {
  const { caller, resource } = askedBy(request);
  return caller.mayRead(resource, namespace);
};

/** For namespaces that a request names in its own way. Throws `permission-denied` that says what is missing. */
export const requireRead = async (request: Asking, namespace: string | undefined): Promise<void> => {
  const { caller, resource } = askedBy(request);
  if (await caller.mayRead(resource, namespace)) return;
  const where = namespace === undefined ? 'in all namespaces' : `in the namespace ${namespace}`;
  throw new GatehouseError(
    'permission-denied',
    `${caller.name} may not get ${resource}.${adminGroup} ${where}`,
  );
};

export interface ListOf<T> {
  /** Unique, and the order of the list. */
  readonly keyOf: (item: T) => string;
  /** Items without a namespace are for those who may see all. */
  readonly namespaceOf: (item: T) => string | undefined;
  readonly query: PageQuery;
}

/** So many namespaces are asked about at once; the authenticator has a bound of its own. */
const batch = 16;

/** Whoever may see only some of more namespaces than this must name one. */
const maxNamespaces = 1_000;

/**
 * One page of those items that the caller may see. It is full as long as there are more of them, and `continue` names
 * the last of its own items, so that nothing is learnt of what lies between.
 */
export const permittedPage = async <T>(
  request: Asking,
  items: Iterable<T>,
  { keyOf, namespaceOf, query }: ListOf<T>,
): Promise<Page<T>> => {
  const rest = inOrder(items, keyOf, query);
  if (rest.length === 0 || (await mayRead(request, undefined))) return pageFrom(rest, query);
  const namespaces = [...new Set(rest.map(({ item }) => namespaceOf(item)))].filter(isNamed);
  const permitted = new Map<string, boolean>();
  const found: Keyed<T>[] = [];
  for (const entry of rest) {
    const namespace = namespaceOf(entry.item);
    if (namespace === undefined) continue;
    if (!permitted.has(namespace)) await askAhead(request, namespaces, permitted);
    if (permitted.get(namespace) === true) found.push(entry);
    // One more than fits says that there is a next page.
    if (found.length > limitOf(query)) break;
  }
  return pageFrom(found, query);
};

const isNamed = (namespace: string | undefined): namespace is string => namespace !== undefined;

/** `namespaces` are in the order in which items need them, so those not asked about yet are a tail of it. */
const askAhead = async (
  request: Asking,
  namespaces: readonly string[],
  permitted: Map<string, boolean>,
): Promise<void> => {
  if (permitted.size >= maxNamespaces) {
    throw new GatehouseError(
      'failed-precondition',
      `more than ${maxNamespaces} namespaces would have to be asked about: name one with \`namespace\``,
    );
  }
  const next = namespaces.slice(permitted.size, permitted.size + batch);
  const answers = await Promise.all(next.map((namespace) => mayRead(request, namespace)));
  for (const [index, namespace] of next.entries()) permitted.set(namespace, answers[index] === true);
};

const askedBy = ({
  caller,
  routeOptions,
}: Asking): { readonly caller: AdminCaller; readonly resource: AdminResource } => {
  const { access } = routeOptions.config;
  if (caller === undefined || typeof access !== 'object') {
    throw new TypeError(`${routeOptions.url} does not say which resource it reads`);
  }
  return { caller, resource: access.reads };
};
