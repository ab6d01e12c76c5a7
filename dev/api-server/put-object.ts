import { randomUUID } from 'node:crypto';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { defaultsFor } from './built-in-defaults.ts';
import { metaOf, withMeta } from './object-meta.ts';
import { printTime } from './resource-request.ts';
import { crdType, resourceKey } from './resource-types.ts';
import { type ServerState, typeOfObject } from './server-state.ts';
import { objectKey } from './store.ts';

/** Where the store keeps an object. Throws a TypeError for kinds that are not served. */
export const placeOf = (
  { store }: ServerState,
  object: WireObject,
): { readonly resource: string; readonly key: string; readonly namespace: string } => {
  const type = typeOfObject(store, object);
  if (type === undefined) throw new TypeError(`${object.apiVersion} ${object.kind} is not served`);
  const { name = '', namespace = 'default' } = metaOf(object);
  const place = type.namespaced ? namespace : '';
  return { resource: resourceKey(type), key: objectKey(place, name), namespace: place };
};

/** What a controller manager makes in each namespace. */
export const defaultAccount = (namespace: string | undefined): WireObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace, name: 'default' },
});

/** Writes an object behind the server's back: made or replaced with the uid, times and status it says, unchecked. */
export const putObject = (state: ServerState, object: WireObject): WireObject => {
  const { store, now } = state;
  const { resource, key, namespace } = placeOf(state, object);
  const before = store.get(resource, key);
  const { uid, creationTimestamp } = metaOf(object);
  const known = before === undefined ? {} : metaOf(before);
  const made = withMeta(object, {
    namespace: namespace === '' ? undefined : namespace,
    uid: uid ?? known.uid ?? randomUUID(),
    creationTimestamp: creationTimestamp ?? known.creationTimestamp ?? printTime(now()),
  });
  // A CRD is served once its status says so, which is never in a manifest.
  return store.put(resource, resource === resourceKey(crdType) ? defaultsFor(crdType, made) : made);
};
