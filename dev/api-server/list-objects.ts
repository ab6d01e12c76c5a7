import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { ApiStatus, badRequest, expired } from './api-status.ts';
import type { ResourceRequest } from './resource-request.ts';
import { apiVersionOf, type ResourceType, resourceKey } from './resource-types.ts';
import { parseSelection } from './selection.ts';
import { objectKey, type Store } from './store.ts';

/** Where a paged list goes on: after the key `start` as of revision `rv`; -1 stands for "whatever is newest". */
interface Continuation {
  readonly v: 'meta.k8s.io/v1';
  readonly rv: number;
  readonly start: string;
}

/** One page of a list. All pages of a list show the store as it was at the first, until that is compacted. */
export const listObjects = (store: Store, request: ResourceRequest): WireObject => {
  const { type, version, namespace, query } = request;
  const continuation = readContinuation(query.get('continue') ?? '');
  const at = revisionToList(store, query, continuation);
  if (at < store.compacted) throw goneList(continuation);
  const selection = parseSelection(query, type);
  const limit = readLimit(query.get('limit'));
  const prefix = namespace === '' ? '' : objectKey(namespace, '');
  const items: WireObject[] = [];
  let last = '';
  let remaining = 0;
  for (const [key, object] of store.list(resourceKey(type), continuation?.start ?? prefix, at)) {
    if (!key.startsWith(prefix)) break;
    if (continuation !== undefined && key === continuation.start) continue;
    if (selection !== undefined && !selection(object)) continue;
    if (items.length < limit) {
      items.push(asListItem(object, type, version));
      last = key;
    } else {
      remaining += 1;
      // With a selector the server does not know how many more will match, so one is enough to see that there are more.
      if (selection !== undefined) break;
    }
  }
  const token = remaining === 0 ? '' : printContinuation({ v: 'meta.k8s.io/v1', rv: at, start: last });
  return {
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type.group, version),
    metadata: {
      resourceVersion: `${at}`,
      ...(token === '' ? {} : { continue: token }),
      ...(remaining === 0 || selection !== undefined ? {} : { remainingItemCount: remaining }),
    },
    items,
  };
};

/** An object in the words of the version it was asked for in: with conversion `None` only apiVersion differs. */
export const inVersion = (object: WireObject, type: ResourceType, version: string): WireObject => ({
  kind: type.kind,
  ...object,
  apiVersion: apiVersionOf(type.group, version),
});

/** Items of built-in lists come without kind and apiVersion, those of custom ones with them. */
const asListItem = (object: WireObject, type: ResourceType, version: string): WireObject => {
  if (type.origin === 'custom') return inVersion(object, type, version);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
};

const readLimit = (text: string | null): number => {
  if (text === null || text === '' || text === '0') return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text)) throw badRequest(`limit: ${text} is not a valid whole number`);
  return Number(text);
};

const revisionToList = (
  store: Store,
  query: URLSearchParams,
  continuation: Continuation | undefined,
): number => {
  const match = query.get('resourceVersionMatch') ?? '';
  const text = query.get('resourceVersion') ?? '';
  if (continuation !== undefined) {
    if (match !== '') throw forbiddenMatch('is forbidden when continue is provided');
    if (text !== '' && text !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    return continuation.rv === -1 ? store.revision : continuation.rv;
  }
  if (match !== '' && text === '') throw forbiddenMatch('is forbidden unless resourceVersion is provided');
  const asked = readRevision(text);
  if (asked > store.revision) throw tooLarge(asked, store);
  switch (match) {
    case 'Exact':
      if (asked === 0) throw forbiddenMatch('"exact" is forbidden for resourceVersion "0"');
      return asked;
    case '':
    case 'NotOlderThan':
      return store.revision;
    default:
      throw forbiddenMatch(`"${match}" is not supported`);
  }
};

/** Resource versions are opaque to clients, not to the server; '' and '0' ask for no particular one. */
export const readRevision = (text: string): number => {
  if (text === '') return 0;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: "${text}": strconv.ParseUint: invalid syntax`);
  return Number(text);
};

const forbiddenMatch = (rule: string): ApiStatus => {
  const field = 'resourceVersionMatch';
  const message = `Forbidden: resourceVersionMatch ${rule}`;
  return new ApiStatus({
    code: 422,
    reason: 'Invalid',
    message: `ListOptions.meta.k8s.io "" is invalid: ${field}: ${message}`,
    details: {
      group: 'meta.k8s.io',
      kind: 'ListOptions',
      causes: [{ reason: 'FieldValueForbidden', message, field }],
    },
  });
};

/** What a server answers that was restored from an older etcd than the client has seen. */
export const tooLarge = (asked: number, store: Store): ApiStatus =>
  new ApiStatus({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${store.revision}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    retryAfterSeconds: 1,
  });

const goneList = (continuation: Continuation | undefined): ApiStatus =>
  continuation === undefined
    ? expired('The resourceVersion for the provided list is too old.')
    : expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
          'without the continue parameter, or use the continue token in this response to retrieve the remainder of ' +
          'the results. Continuing with the provided token results in an inconsistent list - objects that were ' +
          'created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
        printContinuation({ ...continuation, rv: -1 }),
      );

const printContinuation = (continuation: Continuation): string =>
  Buffer.from(JSON.stringify(continuation)).toString('base64url');

const readContinuation = (token: string): Continuation | undefined => {
  if (token === '') return undefined;
  try {
    const read: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (isContinuation(read)) return read;
  } catch {
    // Falls through to the refusal below: no matter who made this token, it was not this server.
  }
  throw badRequest('continue key is not valid');
};

const isContinuation = (value: unknown): value is Continuation =>
  typeof value === 'object' &&
  value !== null &&
  'rv' in value &&
  typeof value.rv === 'number' &&
  'start' in value &&
  typeof value.start === 'string';
