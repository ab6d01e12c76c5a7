import type { WireObject } from '../../src/kube/parse/fields.ts';
import { ApiStatus, badRequest, notFound, qualified } from './api-status.ts';
import { inVersion, listObjects } from './list-objects.ts';
import { fieldsOf, metaOf } from './object-meta.ts';
import type { Verb } from './request-info.ts';
import { keyOf, type ResourceRequest } from './resource-request.ts';
import { resourceKey } from './resource-types.ts';
import type { World } from './world.ts';
import { type Admit, createObject, deleteObject, replacement, updateObject } from './write-objects.ts';

export interface Answer {
  readonly code: number;
  readonly body: WireObject;
}

/** What a request with a body brings. */
export interface Sent {
  readonly contentType: string;
  readonly body: () => WireObject;
}

/** Answers everything about objects but watches. Throws ApiStatus. */
export const serveResource = async (
  world: World,
  request: ResourceRequest & { readonly verb: Exclude<Verb, 'watch'> },
  { sent, admit }: { readonly sent: Sent; readonly admit: Admit },
): Promise<Answer> => {
  const { type, version, verb } = request;
  const shown = ({ code, object }: { readonly code: number; readonly object: WireObject }): Answer => ({
    code,
    body: inVersion(object, type, version),
  });
  switch (verb) {
    case 'list':
      return { code: 200, body: listObjects(world.store, request) };
    case 'get': {
      const object = world.store.get(resourceKey(type), keyOf(request));
      if (object === undefined) throw notFound(type, request.name);
      return shown({ code: 200, object });
    }
    case 'create':
      return shown(await createObject(world, request, sent.body(), admit));
    case 'update':
      return shown(await updateObject(world, request, replacement(request, sent.body()), admit));
    case 'delete': {
      const { gone, object } = await deleteObject(world, request, sent.body(), admit);
      return gone && type.kind !== 'Pod'
        ? { code: 200, body: success(request, object) }
        : shown({ code: 200, object });
    }
    case 'deletecollection': {
      const listed = listObjects(world.store, request);
      for (const item of listed.items as readonly WireObject[]) {
        const { name = '', namespace = '' } = metaOf(item);
        await deleteObject(world, { ...request, name, namespace }, sent.body(), admit);
      }
      return { code: 200, body: listed };
    }
    case 'patch':
      throw new ApiStatus({
        code: 415,
        reason: 'UnsupportedMediaType',
        message: `the body of the request was in an unknown format - accepted media types include: ${sent.contentType}`,
      });
  }
};

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
export const noSuchMethod = (request: ResourceRequest): ApiStatus =>
  new ApiStatus({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `the server does not allow this method on the requested resource ${qualified(request.type)}`,
    details: {},
  });
