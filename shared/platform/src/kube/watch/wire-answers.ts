import { isWireObject, type WireObject } from '../parse/fields.ts';

/** One page of a list. */
export interface ListPage {
  readonly items: readonly WireObject[];
  /** The version of the whole list, the same on each of its pages. */
  readonly version: string;
  /** Undefined on the last page. */
  readonly continue: string | undefined;
}

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: WireObject; readonly version: string }
  | { readonly type: 'BOOKMARK'; readonly version: string }
  | { readonly type: 'ERROR'; readonly status: KubeStatus };

/** What an API server says when it does not do what it was asked to. */
export interface KubeStatus {
  /** 0 when it does not say. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined for what is not a JSON object in UTF-8. */
export const readJson = (bytes: Uint8Array): WireObject | undefined => {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return isWireObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Undefined for what is not a list. Items of core lists leave out what the list says: apiVersion. */
export const readPage = (bytes: Uint8Array): ListPage | undefined => {
  const list = readJson(bytes);
  if (list === undefined || !isWireObject(list.metadata)) return undefined;
  const { resourceVersion: version, continue: more } = list.metadata;
  // An empty list is written as null by some servers.
  const items = list.items ?? [];
  if (typeof version !== 'string' || version === '' || !Array.isArray(items)) return undefined;
  if (!items.every(isWireObject)) return undefined;
  return {
    items: items.map((item) =>
      item.apiVersion === undefined ? { ...item, apiVersion: list.apiVersion } : item,
    ),
    version,
    continue: typeof more === 'string' && more !== '' ? more : undefined,
  };
};

/** Undefined for what is not an event. */
export const readEvent = (line: Uint8Array): WatchEvent | undefined => {
  const event = readJson(line);
  if (event === undefined || !isWireObject(event.object)) return undefined;
  const { type, object } = event;
  if (type === 'ERROR') return { type, status: readStatus(object) };
  const version = isWireObject(object.metadata) ? object.metadata.resourceVersion : undefined;
  if (typeof version !== 'string' || version === '') return undefined;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object, version };
    case 'BOOKMARK':
      return { type, version };
    default:
      return undefined;
  }
};

export const readStatus = (body: WireObject | undefined): KubeStatus => {
  const { code, reason, message, details } = body ?? {};
  const seconds = isWireObject(details) ? details.retryAfterSeconds : undefined;
  return {
    code: typeof code === 'number' ? code : 0,
    reason: typeof reason === 'string' ? reason : '',
    message: typeof message === 'string' ? message : '',
    retryAfterMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined,
  };
};

/**
 * Whether `version` is older than `than`. Kubernetes lets clients compare versions of one kind as decimal numbers
 * (KEP-5504); of others nothing can be said.
 */
export const isOlder = (version: string, than: string): boolean => {
  if (!isNumber(version) || !isNumber(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
};

const isNumber = (version: string): boolean => /^(?:0|[1-9]\d*)$/.test(version);
