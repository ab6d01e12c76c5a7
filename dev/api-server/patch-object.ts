import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { parse } from 'yaml';
import { ApiStatus, badRequest, unsupportedMediaType } from './api-status.ts';
import type { Schema } from './field-paths.ts';
import { jsonPatch, PatchMisfit } from './json-patch.ts';
import { applyFields, type Manager } from './managed-fields.ts';
import { mergePatch } from './merge-patch.ts';
import { fieldsOf, metaOf } from './object-meta.ts';
import { checkWords } from './prepare-object.ts';
import { isSet, type ResourceRequest } from './resource-request.ts';
import { strategicMerge } from './strategic-merge.ts';

const applyType = 'application/apply-patch+yaml';
const strategicType = 'application/strategic-merge-patch+json';
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', applyType];

export const isApply = (contentType: string): boolean => contentType.startsWith(applyType);

export interface Patching {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly manager: Manager;
  readonly schema: Schema;
}

/** What a patch makes of an object. Throws ApiStatus for a patch that cannot be read or does not fit. */
export const patching = (
  request: ResourceRequest,
  { contentType, bytes, manager, schema }: Patching,
): ((current: WireObject) => WireObject) => {
  const [type = ''] = contentType.split(';');
  const text = new TextDecoder().decode(bytes);
  switch (type.trim()) {
    case 'application/merge-patch+json': {
      const patch = fieldsOf(readJson(text));
      return (current) => fieldsOf(mergePatch(current, patch));
    }
    case 'application/json-patch+json': {
      const operations = readJson(text);
      if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
      return (current) => patched(current, operations);
    }
    case strategicType: {
      // Nobody knows which lists of a custom kind are merged.
      if (request.type.origin === 'custom') throw unsupportedMediaType(patchTypes);
      const patch = fieldsOf(readJson(text));
      return (current) => strategicMerge(current, patch);
    }
    case applyType: {
      const applied = readApplied(request, text);
      const force = isSet(request.query, 'force');
      return (current) => applyFields(current, applied, { manager, schema, force });
    }
    default:
      throw unsupportedMediaType(
        request.type.origin === 'custom' ? patchTypes : [...patchTypes, strategicType],
      );
  }
};

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw badRequest(`error decoding patch: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};

const patched = (current: WireObject, operations: readonly unknown[]): WireObject => {
  try {
    return jsonPatch(current, operations);
  } catch (thrown) {
    if (!(thrown instanceof PatchMisfit)) throw thrown;
    throw new ApiStatus({
      code: 422,
      reason: 'Invalid',
      message: `the server rejected our request due to an error in our request: ${thrown.message}`,
    });
  }
};

/** The object that an apply sends: YAML or JSON, with kind and version, and without what the server keeps. */
export const readApplied = (request: ResourceRequest, text: string): WireObject => {
  if ((request.query.get('fieldManager') ?? '') === '') throw managerNeeded();
  let applied: unknown;
  try {
    applied = parse(text);
  } catch (thrown) {
    throw badRequest(`error decoding YAML: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  if (!isWireObject(applied)) throw badRequest('error decoding YAML: an object is needed');
  if (applied.kind === undefined || applied.apiVersion === undefined)
    throw badRequest('an applied object must have apiVersion and kind');
  checkWords(request, applied);
  const { name, managedFields } = metaOf(applied);
  if (managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  if (name !== undefined && name !== request.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${request.name})`);
  return applied;
};

const managerNeeded = (): ApiStatus =>
  new ApiStatus({
    code: 422,
    reason: 'Invalid',
    message:
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    details: {
      group: 'meta.k8s.io',
      kind: 'PatchOptions',
      causes: [
        {
          reason: 'FieldValueRequired',
          message: 'Required value: is required for apply patch',
          field: 'fieldManager',
        },
      ],
    },
  });
