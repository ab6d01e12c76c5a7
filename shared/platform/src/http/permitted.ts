import { GatehouseError } from '@gatehouse/core/error';
import type { FastifyRequest } from 'fastify';
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

/** Anyone who may see only some of more namespaces than this must name one. */
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
  // One more than fits says that there is a next page.
  return pageFrom(await new Permitted(request, namespaceOf).among(rest, limitOf(query) + 1), query);
};

/** What one request may see; it remembers which namespaces it asked about. */
export class Permitted<T> {
  readonly #request: Asking;
  readonly #namespaceOf: (item: T) => string | undefined;
  readonly #namespaces = new Map<string, boolean>();
  #all: Promise<boolean> | undefined;

  /** Items without a namespace are for those who may see all. */
  constructor(request: Asking, namespaceOf: (item: T) => string | undefined) {
    this.#request = request;
    this.#namespaceOf = namespaceOf;
  }

  /** Whether the caller may see everything. */
  all(): Promise<boolean> {
    this.#all ??= mayRead(this.#request, undefined);
    return this.#all;
  }

  /** The first `enough` of those that the caller may see, in their order. */
  async among(entries: readonly Keyed<T>[], enough: number): Promise<readonly Keyed<T>[]> {
    if (entries.length === 0) return [];
    if (await this.all()) return entries.slice(0, enough);
    const ahead = [...new Set(entries.map(({ item }) => this.#namespaceOf(item)))].filter(isNamed);
    const found: Keyed<T>[] = [];
    for (const entry of entries) {
      const namespace = this.#namespaceOf(entry.item);
      if (namespace === undefined) continue;
      if (!this.#namespaces.has(namespace)) await this.#ask(ahead);
      if (this.#namespaces.get(namespace) === true) found.push(entry);
      if (found.length === enough) break;
    }
    return found;
  }

  /** `namespaces` are in the order in which items need them. */
  async #ask(namespaces: readonly string[]): Promise<void> {
    if (this.#namespaces.size >= maxNamespaces) {
      throw new GatehouseError(
        'failed-precondition',
        `more than ${maxNamespaces} namespaces would have to be asked about: name one with \`namespace\``,
      );
    }
    const next = namespaces.filter((namespace) => !this.#namespaces.has(namespace)).slice(0, batch);
    const answers = await Promise.all(next.map((namespace) => mayRead(this.#request, namespace)));
    for (const [index, namespace] of next.entries()) this.#namespaces.set(namespace, answers[index] === true);
  }
}

const isNamed = (namespace: string | undefined): namespace is string => namespace !== undefined;

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
