import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type Admission, admission, schemaFor } from './admit-object.ts';
import { ApiStatus, badRequest, notFound } from './api-status.ts';
import { inVersion, listObjects } from './list-objects.ts';
import { type Manager, noteUpdate } from './managed-fields.ts';
import { fieldsOf, metaOf } from './object-meta.ts';
import { isApply, patching, readApplied } from './patch-object.ts';
import { checkUpdate } from './prepare-object.ts';
import type { Verb } from './request-info.ts';
import { keyOf, printTime, type ResourceRequest } from './resource-request.ts';
import { apiVersionOf, resourceKey } from './resource-types.ts';
import { serveScale } from './serve-scale.ts';
import type { ServerState } from './server-state.ts';
import { type Admit, createObject, deleteObject, replacement, updateObject } from './write-objects.ts';

export interface Answer {
  readonly code: number;
  readonly body: WireObject;
}

/** What a request brings besides its path. */
export interface Sent {
  readonly contentType: string;
  readonly userAgent: string;
  readonly bytes: Uint8Array;
}

export type ObjectRequest = ResourceRequest & { readonly verb: Exclude<Verb, 'watch'> };

/** Answers everything about objects but watches. Throws ApiStatus. */
export const serveResource = async (
  state: ServerState,
  request: ObjectRequest,
  { sent, admitting }: { readonly sent: Sent; readonly admitting: Omit<Admission, 'store' | 'request'> },
): Promise<Answer> => {
  const { type, version, verb } = request;
  const { store } = state;
  const shown = ({ code, object }: { readonly code: number; readonly object: WireObject }): Answer => ({
    code,
    body: inVersion(object, type, version),
  });
  const admitFor = (each: ResourceRequest): Admit => admission({ store, request: each, ...admitting });
  const admit = admitFor(request);
  const manager = managerOf(state, request, sent);
  const schema = schemaFor(store, type);
  const noting = (before: WireObject | undefined, after: WireObject): WireObject =>
    noteUpdate(before, after, { manager, schema });
  if (request.subresource === 'scale') {
    const parse = (): WireObject => parseBody(sent.bytes);
    const body = await serveScale(state, request, { sent: { ...sent, manager, schema }, noting, parse });
    return { code: 200, body };
  }
  switch (verb) {
    case 'list':
      return { code: 200, body: listObjects(store, request) };
    case 'get': {
      const object = store.get(resourceKey(type), keyOf(request));
      if (object === undefined) throw notFound(type, request.name);
      return shown({ code: 200, object });
    }
    case 'create':
      return shown(await createObject(state, request, parseBody(sent.bytes), { admit, noting }));
    case 'update': {
      const body = parseBody(sent.bytes);
      checkUpdate(request, body);
      // A Lease is made by the client that first claims it.
      const absent = store.get(resourceKey(type), keyOf(request)) === undefined;
      if (absent && type.kind === 'Lease')
        return shown(await createObject(state, request, body, { admit, noting }));
      return shown(await updateObject(state, request, replacement(request, body), { admit, noting }));
    }
    case 'patch': {
      const applies = isApply(sent.contentType);
      const change = patching(request, { ...sent, manager, schema });
      const absent = store.get(resourceKey(type), keyOf(request)) === undefined;
      if (applies && absent && request.subresource === '') {
        const applied = readApplied(request, new TextDecoder().decode(sent.bytes));
        const named = { ...applied, metadata: { ...metaOf(applied), name: request.name } };
        return shown(await createObject(state, request, named, { admit, noting }));
      }
      const keep = (_before: WireObject | undefined, after: WireObject): WireObject => after;
      return shown(await updateObject(state, request, change, { admit, noting: applies ? keep : noting }));
    }
    case 'delete': {
      const { gone, object } = await deleteObject(state, request, parseBody(sent.bytes), admit);
      return gone && !returnsDeleted.includes(type.kind)
        ? { code: 200, body: success(request, object) }
        : shown({ code: 200, object });
    }
    case 'deletecollection': {
      const listed = listObjects(store, request);
      for (const item of listed.items as readonly WireObject[]) {
        const { name = '', namespace = '' } = metaOf(item);
        const each = { ...request, name, namespace };
        await deleteObject(state, each, parseBody(sent.bytes), admitFor(each));
      }
      return { code: 200, body: listed };
    }
  }
};

/** Kinds whose last state answers a delete that is done; all others are answered by a Status. */
const returnsDeleted = ['Pod', 'Service', 'ServiceAccount'];

/** The answer to a delete that is done. */
const success = ({ type, name }: ResourceRequest, object: WireObject): WireObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.plural,
    uid: metaOf(object).uid,
  },
});

/** Who is written down as the owner of the written fields: the named manager, or the program that asks. */
const managerOf = (state: ServerState, request: ObjectRequest, sent: Sent): Manager => ({
  name: request.query.get('fieldManager') || sent.userAgent.split('/')[0] || 'unknown',
  operation: request.verb === 'patch' && isApply(sent.contentType) ? 'Apply' : 'Update',
  apiVersion: apiVersionOf(request.type.group, request.version),
  subresource: request.subresource,
  time: printTime(state.now()),
});

/** The body of a request as an object; {} for none. */
export const parseBody = (bytes: Uint8Array): WireObject => {
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') return {};
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    throw badRequest('the object provided is unrecognized (must be of type JSON)');
  }
};

/** What is not served of a resource that is. */
export const noSuchMethod = (): ApiStatus =>
  new ApiStatus({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });
