import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { badRequest, notFound, unsupportedMediaType } from './api-status.ts';
import { metaOf } from './object-meta.ts';
import { isApply, type Patching, patching } from './patch-object.ts';
import type { Verb } from './request-info.ts';
import { keyOf, type ResourceRequest } from './resource-request.ts';
import { resourceKey } from './resource-types.ts';
import { scaled, scaleKind, scaleOf } from './scale.ts';
import type { ServerState } from './server-state.ts';
import { type Passing, updateObject } from './write-objects.ts';

/**
 * Reads or writes the Scale of a workload, by a whole one or a patch. Webhooks are not asked: those that look at Scales are not
 * ours. Throws ApiStatus.
 */
export const serveScale = async (
  state: ServerState,
  request: ResourceRequest & { readonly verb: Verb },
  {
    sent,
    noting,
    parse,
  }: { readonly sent: Patching; readonly noting: Passing['noting']; readonly parse: () => WireObject },
): Promise<WireObject> => {
  const { type, name, verb } = request;
  const found = state.store.get(resourceKey(type), keyOf(request));
  if (found === undefined) throw notFound(type, name);
  if (verb === 'get') return scaleOf(found);
  if (verb === 'patch' && isApply(sent.contentType))
    throw unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json']);
  const change = verb === 'patch' ? patching(request, sent) : whole(request, parse());
  const { object } = await updateObject(
    state,
    // What is written is the workload itself.
    { ...request, subresource: '' },
    (current) => scaled(current, change(scaleOf(current))),
    { admit: async (_operation, object) => object, noting },
  );
  return scaleOf(object);
};

const whole = ({ name }: ResourceRequest, body: WireObject): ((current: WireObject) => WireObject) => {
  const { kind = scaleKind } = body;
  if (kind !== scaleKind)
    throw badRequest(`the kind in the data (${kind}) does not match the expected kind (${scaleKind})`);
  const said = metaOf(body).name;
  if (said !== name)
    throw badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`);
  return () => body;
};
