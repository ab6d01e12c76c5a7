import { randomInt, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { allocateClusterIp } from './allocate-cluster-ip.ts';
import { ApiStatus, badRequest, invalid, notFound, type StatusCause } from './api-status.ts';
import { defaultsFor } from './built-in-defaults.ts';
import { metaOf, withMeta } from './object-meta.ts';
import { printTime, type ResourceRequest } from './resource-request.ts';
import { apiVersionOf, namespaceType, type ResourceType, resourceKey } from './resource-types.ts';
import type { ServerState } from './server-state.ts';
import type { Store } from './store.ts';

/** Refuses a body that cannot become an object at this path. */
export const checkNew = (request: ResourceRequest, body: WireObject): void => {
  const { type, namespace } = request;
  checkWords(request, body);
  const meta = metaOf(body);
  if (meta.namespace !== undefined && meta.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (type.namespaced && namespace === '')
    throw badRequest('an empty namespace may not be set during creation');
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== '')
    throw new ApiStatus({
      code: 500,
      reason: '',
      message: 'resourceVersion should not be set on objects to be created',
    });
  const causes = nameProblems(meta.name, meta.generateName, type);
  if (causes.length > 0) throw invalid(type, meta.name ?? '', causes);
};

/** Refuses a body that cannot replace the object at this path. */
export const checkUpdate = (request: ResourceRequest, body: WireObject): void => {
  checkWords(request, body);
  const { name, namespace } = metaOf(body);
  if (name === undefined || name === '') throw badRequest('name must be provided');
  if (name !== request.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${request.name})`);
  if (namespace !== undefined && namespace !== '' && namespace !== request.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
};

/** A body says of what kind it is; at a path of a built-in kind it may leave that out. */
export const checkWords = ({ type, version }: ResourceRequest, body: WireObject): void => {
  const expected = apiVersionOf(type.group, version);
  if (type.origin === 'custom' && (body.kind === undefined || body.kind === ''))
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body)}'`);
  if (body.kind !== undefined && body.kind !== type.kind)
    throw badRequest(`the kind in the data (${body.kind}) does not match the expected kind (${type.kind})`);
  if (body.apiVersion !== undefined && body.apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${body.apiVersion}) does not match the expected API version (${expected})`,
    );
};

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Namespaces and Services are DNS labels, everything else is a DNS subdomain (RFC 1123). */
const nameProblems = (
  name: string | undefined,
  generateName: string | undefined,
  type: ResourceType,
): readonly StatusCause[] => {
  const field = 'metadata.name';
  if (name === undefined || name === '')
    return generateName
      ? []
      : [
          {
            reason: 'FieldValueRequired',
            field,
            message: 'Required value: name or generateName is required',
          },
        ];
  const isLabel = type.group === '' && (type.kind === 'Namespace' || type.kind === 'Service');
  const [shape, longest, words] = isLabel
    ? [label, 63, 'a lowercase RFC 1123 label']
    : [subdomain, 253, 'a lowercase RFC 1123 subdomain'];
  if (shape.test(name) && name.length <= longest) return [];
  return [
    {
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(name)}: ${words} is needed`,
    },
  ];
};

/** Objects are made in namespaces that exist and are not being deleted. */
export const checkNamespace = (store: Store, { type, namespace }: ResourceRequest): void => {
  if (!type.namespaced) return;
  const found = store.get(resourceKey(namespaceType), namespace);
  if (found === undefined) throw notFound(namespaceType, namespace);
};

/** What the server writes into a new object, whatever its maker wrote there. */
export const prepareNew = (state: ServerState, request: ResourceRequest, body: WireObject): WireObject => {
  const { type, namespace } = request;
  const { name, generateName } = metaOf(body);
  const meta = {
    name: name ? name : `${generateName}${randomSuffix()}`,
    namespace: type.namespaced ? namespace : undefined,
    uid: randomUUID(),
    creationTimestamp: printTime(state.now()),
    generation: type.counted ? 1 : undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    selfLink: undefined,
    resourceVersion: undefined,
  };
  const { status, ...rest } = body;
  const made = withMeta(
    {
      kind: type.kind,
      ...(type.hasStatus || status === undefined ? rest : body),
      apiVersion: apiVersionOf(type.group, type.storageVersion),
    },
    meta,
  );
  const filled = defaultsFor(type, made);
  return resourceKey(type) === '/services' ? allocateClusterIp(state.store, filled) : filled;
};

/** The alphabet without vowels, which names of pods are made from. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';
const randomSuffix = (): string =>
  Array.from({ length: 5 }, () => letters.charAt(randomInt(letters.length))).join('');

/**
 * The next state of an object: what only the server may change stays, and so does the half that this path does not write:
 * status behind `/status`, everything else behind the object itself.
 */
export const prepareUpdate = (
  request: ResourceRequest,
  wanted: WireObject,
  current: WireObject,
): WireObject => {
  const { type, subresource } = request;
  const {
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    name,
    namespace,
  } = metaOf(current);
  const own = {
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    name,
    namespace,
    resourceVersion: metaOf(current).resourceVersion,
  };
  const apiVersion = apiVersionOf(type.group, type.storageVersion);
  if (subresource === 'status')
    return withMeta(withStatus(current, wanted.status), { managedFields: metaOf(wanted).managedFields });
  // Who owns which field is nothing that a client has to send along.
  const managedFields = metaOf(wanted).managedFields ?? metaOf(current).managedFields;
  const next = withMeta({ kind: type.kind, ...wanted, apiVersion }, { ...own, managedFields });
  return type.hasStatus ? withStatus(next, current.status) : next;
};

/** The object with its generation: one more than before, when anything but metadata and status has changed. */
export const counted = (
  { type, subresource }: ResourceRequest,
  object: WireObject,
  current: WireObject,
): WireObject => {
  if (!type.counted || subresource === 'status' || isDeepStrictEqual(desired(object), desired(current)))
    return object;
  return withMeta(object, { generation: (metaOf(current).generation ?? 0) + 1 });
};

const withStatus = (object: WireObject, status: unknown): WireObject => {
  const { status: _status, ...rest } = object;
  return status === undefined ? rest : { ...rest, status };
};

/** Everything that `generation` counts. */
const desired = ({ metadata: _metadata, status: _status, ...rest }: WireObject): unknown =>
  JSON.parse(JSON.stringify(rest));
