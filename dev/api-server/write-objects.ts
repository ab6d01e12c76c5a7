import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { alreadyExists, conflict, invalid, notFound } from './api-status.ts';
import { checkEvent } from './check-event.ts';
import { typeOfCrd } from './custom-types.ts';
import { checkDelete, graceOf } from './delete-options.ts';
import { fieldsOf, metaOf, textOf, withMeta } from './object-meta.ts';
import { checkNamespace, checkNew, counted, prepareNew, prepareUpdate } from './prepare-object.ts';
import { defaultAccount, putObject } from './put-object.ts';
import { isDryRun, keyOf, printTime, type ResourceRequest } from './resource-request.ts';
import { crdType, namespaceType, podType, resourceKey } from './resource-types.ts';
import { type ServerState, servedTypes } from './server-state.ts';
import { objectKey } from './store.ts';

/** What happens to an object between what was asked and what is kept: defaults, webhooks, schema. Throws ApiStatus. */
export type Admit = (
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  object: WireObject | undefined,
  old: WireObject | undefined,
) => Promise<WireObject | undefined>;

/** What every write passes: admission, and the book that is kept of who owns which field. */
export interface Passing {
  readonly admit: Admit;
  readonly noting: (before: WireObject | undefined, after: WireObject) => WireObject;
}

export interface Written {
  readonly code: 200 | 201;
  readonly object: WireObject;
}

export const createObject = async (
  state: ServerState,
  request: ResourceRequest,
  body: WireObject,
  { admit, noting }: Passing,
): Promise<Written> => {
  const { type } = request;
  const { store } = state;
  checkNew(request, body);
  checkNamespace(store, request);
  const prepared = prepareNew(state, request, body);
  checkEvent(type, prepared);
  const { name = '' } = metaOf(prepared);
  const admitted = noting(undefined, (await admit('CREATE', prepared, undefined)) ?? prepared);
  const key = keyOf({ namespace: request.namespace, name });
  if (store.get(resourceKey(type), key) !== undefined) throw alreadyExists(type, name);
  checkNamespace(store, request);
  if (isDryRun(request)) return { code: 201, object: admitted };
  const object = store.put(resourceKey(type), admitted);
  if (type === namespaceType && state.controllers === true) putObject(state, defaultAccount(name));
  return { code: 201, object };
};

/**
 * Reads, changes, admits and writes, provided that nobody wrote in between. Who names no version in the change is tried
 * again then, as the real server does for patches; who names one is told of the conflict.
 */
export const updateObject = async (
  state: ServerState,
  request: ResourceRequest,
  change: (current: WireObject) => WireObject,
  { admit, noting }: Passing,
): Promise<Written> => {
  const { type, name } = request;
  const { store } = state;
  const resource = resourceKey(type);
  const key = keyOf(request);
  for (;;) {
    const current = store.get(resource, key);
    if (current === undefined) throw notFound(type, name);
    const wanted = change(current);
    const { resourceVersion = '', uid } = metaOf(wanted);
    if (uid !== undefined && uid !== '' && uid !== metaOf(current).uid)
      throw conflict(
        type,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metaOf(current).uid}`,
      );
    if (resourceVersion !== '' && resourceVersion !== metaOf(current).resourceVersion) throw stale(request);
    const prepared = prepareUpdate(request, wanted, current);
    checkEvent(type, prepared, current);
    const admitted = counted(request, (await admit('UPDATE', prepared, current)) ?? prepared, current);
    // Another client wrote meanwhile: if this one named a version, the next round answers with a conflict.
    if (store.get(resource, key) !== current) continue;
    if (isDryRun(request) || isSame(admitted, current))
      return { code: 200, object: isDryRun(request) ? admitted : current };
    const noted = noting(current, admitted);
    const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = metaOf(admitted);
    // The last finalizer of an object that is being deleted was taken away: now it goes.
    if (deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0) {
      removeObject(state, request, key);
      return { code: 200, object: admitted };
    }
    return { code: 200, object: store.put(resource, noted) };
  }
};

/** Whether a write changes nothing: then there is no new version. When a field was last applied does not count. */
const isSame = (one: WireObject, other: WireObject): boolean =>
  isDeepStrictEqual(withoutTimes(one), withoutTimes(other));

const withoutTimes = (object: WireObject): unknown => {
  const { managedFields = [] } = metaOf(object);
  const timeless = managedFields.map(({ time: _time, ...rest }) => rest);
  return JSON.parse(JSON.stringify(withMeta(object, { managedFields: timeless })));
};

const stale = (request: ResourceRequest) =>
  conflict(
    request.type,
    request.name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

/** What PUT sends: the whole object; a resourceVersion in it must be the newest. */
export const replacement =
  ({ type, name }: ResourceRequest, body: WireObject) =>
  (_current: WireObject): WireObject => {
    if (type.origin === 'built-in' || textOf(metaOf(body).resourceVersion) !== '') return body;
    throw invalid({ group: type.group, kind: type.plural }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  };

/** Deletes at once, or says when: after a pod's grace period, or when the last finalizer is gone. */
export const deleteObject = async (
  state: ServerState,
  request: ResourceRequest,
  options: WireObject,
  admit: Admit,
): Promise<{ readonly gone: boolean; readonly object: WireObject }> => {
  const { type, name } = request;
  const { store } = state;
  const resource = resourceKey(type);
  const key = keyOf(request);
  for (;;) {
    const current = store.get(resource, key);
    if (current === undefined) throw notFound(type, name);
    checkDelete(request, options, current);
    await admit('DELETE', undefined, current);
    if (store.get(resource, key) !== current) continue;
    if (isDryRun(request)) return { gone: true, object: current };
    const { controllers = false } = state;
    const grace = type === podType && !controllers ? graceOf(request, options, current) : 0;
    const hasFinalizers = (metaOf(current).finalizers ?? []).length > 0;
    const waits = grace > 0 || hasFinalizers || (!controllers && keptByNamespace(current));
    if (!waits && type === namespaceType) emptyNamespace(state, name);
    if (!waits) return { gone: true, object: removeObject(state, request, key) ?? current };
    const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation } = metaOf(current);
    if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds)
      return { gone: false, object: current };
    const ending = withMeta(current, {
      deletionTimestamp: printTime(state.now() + grace * 1000),
      deletionGracePeriodSeconds: grace,
      generation: generation === undefined || deletionTimestamp !== undefined ? generation : generation + 1,
    });
    const status = resource === '/namespaces' ? { status: { phase: 'Terminating' } } : {};
    return { gone: false, object: store.put(resource, { ...ending, ...status }) };
  }
};

const emptyNamespace = ({ store }: ServerState, namespace: string): void => {
  for (const type of servedTypes(store)) {
    if (!type.namespaced) continue;
    const prefix = objectKey(namespace, '');
    for (const [key] of [...store.list(resourceKey(type), prefix)])
      if (key.startsWith(prefix)) store.remove(resourceKey(type), key);
  }
};

/** Namespaces wait for the namespace controller, which empties them: a bare API server has none. */
const keptByNamespace = (object: WireObject): boolean => {
  const { finalizers } = fieldsOf(object.spec);
  return object.kind === 'Namespace' && Array.isArray(finalizers) && finalizers.length > 0;
};

const removeObject = (state: ServerState, { type }: ResourceRequest, key: string): WireObject | undefined => {
  const { store } = state;
  const removed = store.remove(resourceKey(type), key);
  // The objects of a kind go with its CRD.
  if (type === crdType && removed !== undefined) {
    const custom = resourceKey(typeOfCrd(removed));
    for (const [each] of [...store.list(custom)]) store.remove(custom, each);
  }
  return removed;
};
