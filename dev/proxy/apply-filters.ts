import type { HttpFilter, PathMatch } from '@gatehouse/core/inbound/inbound-server';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import { emptyAnswer, withHeader, without } from './http-message.ts';

/** What the filters of an admitted request come to (contract/proxy.md §6.4). */
export type Filtered =
  | { readonly kind: 'pass'; readonly request: HttpRequest }
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  /** A redirect that replaces a prefix, on a match that has none. */
  | { readonly kind: 'bad-redirect' };

type Redirect = Extract<HttpFilter, { readonly kind: 'redirect' }>;

/** Add, then set, then remove. */
const modifyHeaders = (
  request: HttpRequest,
  { add, set, remove }: Extract<HttpFilter, { readonly kind: 'request-headers' }>,
): HttpRequest => {
  const added = [...request.headers, ...add.map(({ name, value }) => [name.toLowerCase(), value] as const)];
  const changed = set.reduce(
    (headers, { name, value }) => withHeader(headers, name.toLowerCase(), value),
    added as HttpRequest['headers'],
  );
  return { ...request, headers: without(changed, ...remove.map((name) => name.toLowerCase())) };
};

const redirectedPath = (
  path: string,
  replace: NonNullable<Redirect['path']>,
  matched: PathMatch | undefined,
): string | undefined => {
  if (replace.kind === 'full') return replace.value;
  if (matched?.kind !== 'prefix') return undefined;
  const rest = path.slice(matched.value.replace(/(?<!\/)\/+$/, '').length).replace(/^\/+/, '');
  const start = replace.value.replace(/(?<!\/)\/+$/, '');
  if (rest === '') return start === '' ? '/' : start;
  return rest.startsWith('?') ? `${start || '/'}${rest}` : `${start}/${rest}`;
};

const redirect = (request: HttpRequest, filter: Redirect, matched: PathMatch | undefined): Filtered => {
  const path = filter.path === undefined ? request.path : redirectedPath(request.path, filter.path, matched);
  if (path === undefined) return { kind: 'bad-redirect' };
  const [host = '', port] = (request.authority ?? '').split(/:(?=\d*$)/);
  const scheme = filter.scheme ?? 'http';
  const chosenPort = filter.port ?? (filter.host === undefined ? port : undefined);
  const authority = `${filter.host ?? host}${chosenPort === undefined ? '' : `:${chosenPort}`}`;
  const location = `${scheme}://${authority}${path}`;
  // A redirect to where the request came from would go round forever.
  if (location === `http://${request.authority}${request.path}`) return { kind: 'pass', request };
  return { kind: 'answer', answer: emptyAnswer(filter.status || 301, [['location', location]]) };
};

/** Applies a rule's filters in order to a request that was admitted by it. */
export const applyFilters = (
  request: HttpRequest,
  filters: readonly HttpFilter[],
  matched: PathMatch | undefined,
): Filtered => {
  let current = request;
  for (const filter of filters) {
    switch (filter.kind) {
      case 'request-headers':
        current = modifyHeaders(current, filter);
        break;
      case 'redirect': {
        const outcome = redirect(current, filter, matched);
        if (outcome.kind !== 'pass') return outcome;
        break;
      }
    }
  }
  return { kind: 'pass', request: current };
};
