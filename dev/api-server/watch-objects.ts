import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { expired } from './api-status.ts';
import { inVersion, readRevision } from './list-objects.ts';
import { withMeta } from './object-meta.ts';
import { isSet, type ResourceRequest } from './resource-request.ts';
import { apiVersionOf, resourceKey } from './resource-types.ts';
import { parseSelection, type Selection } from './selection.ts';
import { objectKey, type Store, type StoreEvent } from './store.ts';

export type WatchEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR' } & {
  readonly object: WireObject;
};

export interface Watching {
  /** Says how far the watch has come, if its client asked for bookmarks. */
  bookmark(): void;
  stop(): void;
}

/**
 * Tells `say` of what is there, or of what happened since the asked version, and then of every change as it is made.
 * A version that is compacted, and any fault before the first event, is one ERROR event and the end.
 */
export const watchObjects = (
  store: Store,
  request: ResourceRequest,
  { say, end }: { readonly say: (event: WatchEvent) => void; readonly end: () => void },
): Watching => {
  const { type, version, namespace, name, query } = request;
  const selection = parseSelection(query, type);
  const prefix = namespace === '' ? '' : objectKey(namespace, '');
  const from = readRevision(query.get('resourceVersion') ?? '');
  const asked = {
    resource: resourceKey(type),
    prefix,
    key: name === '' ? '' : objectKey(namespace, name),
    selection,
  };
  const inWords = (event: WatchEvent): WatchEvent => ({
    ...event,
    object: inVersion(event.object, type, version),
  });

  if (from !== 0 && from < store.compacted) {
    const status = expired(`too old resource version: ${from} (${store.revision})`);
    say({ type: 'ERROR', object: status.toObject() });
    end();
    return { bookmark: () => {}, stop: () => {} };
  }
  const bookmarks = isSet(query, 'allowWatchBookmarks');
  const bookmarkAt = (more: WireObject = {}): WatchEvent => {
    const metadata = { resourceVersion: `${Math.max(from, store.revision)}`, ...more };
    return {
      type: 'BOOKMARK',
      object: { kind: type.kind, apiVersion: apiVersionOf(type.group, version), metadata },
    };
  };
  const tell = (event: StoreEvent): void => {
    const seen = eventFor(asked, event);
    if (seen !== undefined) say(inWords(seen));
  };
  const sendsInitial = isSet(query, 'sendInitialEvents');
  if (from === 0 || sendsInitial) {
    for (const [key, object] of store.list(asked.resource, prefix))
      if (isAsked(asked, key) && (selection === undefined || selection(object)))
        say(inWords({ type: 'ADDED', object }));
  } else for (const event of store.since(from)) tell(event);
  // Streaming lists: after this event the client has seen all that there was.
  if (sendsInitial) say(bookmarkAt({ annotations: { 'k8s.io/initial-events-end': 'true' } }));
  // A client that is ahead of a server restored from a backup hears nothing until the server has caught up with it.
  const stop = store.subscribe((event) => {
    if (event.revision > from) tell(event);
  });
  return {
    bookmark: () => {
      if (bookmarks) say(bookmarkAt());
    },
    stop,
  };
};

interface Asked {
  readonly resource: string;
  readonly prefix: string;
  /** '' for all objects under the prefix. */
  readonly key: string;
  readonly selection: Selection;
}

const isAsked = ({ prefix, key: only }: Asked, key: string): boolean =>
  key.startsWith(prefix) && (only === '' || key === only);

/** An object that comes to match a selector is added for that watcher, one that no longer does is deleted. */
const eventFor = (asked: Asked, event: StoreEvent): WatchEvent | undefined => {
  if (event.resource !== asked.resource || !isAsked(asked, event.key)) return undefined;
  const matches = asked.selection ?? (() => true);
  const was = event.before !== undefined && matches(event.before) ? event.before : undefined;
  const is = event.after !== undefined && matches(event.after) ? event.after : undefined;
  if (is !== undefined) return { type: was === undefined ? 'ADDED' : 'MODIFIED', object: is };
  if (was === undefined) return undefined;
  // What is gone is shown as it was last, under the version of its going.
  return { type: 'DELETED', object: withMeta(was, { resourceVersion: `${event.revision}` }) };
};
