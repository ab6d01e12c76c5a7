import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Schema } from './field-paths.ts';
import { fieldsOf } from './object-meta.ts';

const metaFields = new Set([
  'annotations',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'labels',
  'managedFields',
  'name',
  'namespace',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** Fields that every object has, whatever its schema says. */
const typeFields = ['apiVersion', 'kind', 'metadata'];

/** A custom object without the fields that its structural schema does not know, and with the defaults that it gives. */
export const pruneObject = (object: WireObject, schema: Schema): WireObject => {
  const kept = fieldsOf(withDefaults(prune(object, schema), schema));
  const own = Object.fromEntries(Object.entries(object).filter(([name]) => typeFields.includes(name)));
  const metadata = Object.fromEntries(
    Object.entries(fieldsOf(object.metadata)).filter(([name]) => metaFields.has(name)),
  );
  return { ...own, ...kept, ...own, ...(object.metadata === undefined ? {} : { metadata }) };
};

const preserve = 'x-kubernetes-preserve-unknown-fields';

const prune = (value: unknown, schema: Schema): unknown => {
  if (Array.isArray(value)) {
    const items = fieldsOf(schema.items);
    return value.map((item) =>
      prune(item, schema[preserve] === true && schema.items === undefined ? schema : items),
    );
  }
  if (!isWireObject(value)) return value;
  const properties = fieldsOf(schema.properties);
  const { additionalProperties } = schema;
  const kept: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) kept[name] = prune(part, fieldsOf(properties[name]));
    else if (isWireObject(additionalProperties)) kept[name] = prune(part, additionalProperties);
    else if (additionalProperties === true || schema[preserve] === true) kept[name] = part;
  }
  return kept;
};

/** Fills in defaults from the outside in; a null where null is not allowed counts as absent when there is a default. */
const withDefaults = (value: unknown, schema: Schema): unknown => {
  if (Array.isArray(value)) return value.map((item) => withDefaults(item, fieldsOf(schema.items)));
  if (!isWireObject(value)) return value;
  const filled: Record<string, unknown> = {};
  const properties = fieldsOf(schema.properties);
  const others = fieldsOf(schema.additionalProperties);
  for (const [name, part] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? fieldsOf(properties[name]) : others;
    if (part === null && known.default !== undefined && known.nullable !== true) continue;
    filled[name] = withDefaults(part, known);
  }
  for (const [name, property] of Object.entries(properties)) {
    const known = fieldsOf(property);
    if (known.default !== undefined && !Object.hasOwn(filled, name))
      filled[name] = withDefaults(structuredClone(known.default), known);
  }
  return filled;
};
