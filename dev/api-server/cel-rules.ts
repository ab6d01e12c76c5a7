import { celEnv, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';
import type { StatusCause } from './api-status.ts';
import type { Schema } from './field-paths.ts';
import { fieldsOf, listOf, textOf } from './object-meta.ts';

/** A value under a schema, and what stood there before an update. */
interface Ruled {
  readonly value: unknown;
  readonly old: unknown;
  readonly schema: Schema;
  readonly field: string;
}

/**
 * What an object breaks of its schema's CEL rules. Asked only of objects that keep to the schema otherwise. Of the server's
 * own CEL libraries only the functions on texts are there: no URLs, quantities, addresses or cost limits.
 */
export function* brokenRules(ruled: Ruled): Generator<StatusCause> {
  const { value, old, schema, field } = ruled;
  for (const rule of listOf(schema['x-kubernetes-validations']).map(fieldsOf)) {
    const text = textOf(rule.rule);
    // A rule about a change has nothing to say where nothing was before.
    if (/\boldSelf\b/.test(text) && old === undefined) continue;
    const self = toCel(value, schema);
    const bindings = old === undefined ? { self } : { self, oldSelf: toCel(old, schema) };
    const { holds, why } = evaluate(text, bindings);
    if (!holds)
      yield {
        reason: textOf(rule.reason) || 'FieldValueInvalid',
        field: `${field}${textOf(rule.fieldPath)}`,
        message: `Invalid value: ${textOf(rule.message) || why}`,
      };
  }
  for (const part of partsOf(ruled)) yield* brokenRules(part);
}

function* partsOf({ value, old, schema, field }: Ruled): Generator<Ruled> {
  if (Array.isArray(value)) {
    // Items of a list without keys cannot be told apart from those before: rules about changes do not reach them.
    for (const [index, item] of value.entries())
      yield { value: item, old: undefined, schema: fieldsOf(schema.items), field: `${field}[${index}]` };
  } else if (isWireObject(value)) {
    const properties = fieldsOf(schema.properties);
    for (const [name, part] of Object.entries(value)) {
      const known = fieldsOf(
        Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties,
      );
      yield {
        value: part,
        old: fieldsOf(old)[name],
        schema: known,
        field: field === '' ? name : `${field}.${name}`,
      };
    }
  }
}

/** CEL texts are few and asked often. */
const planned = new Map<string, ReturnType<typeof plan>>();
const environment = celEnv({ funcs: strings });

const evaluate = (
  text: string,
  bindings: Parameters<ReturnType<typeof plan>>[0],
): { readonly holds: boolean; readonly why: string } => {
  const known = planned.get(text) ?? plan(environment, parse(text));
  planned.set(text, known);
  const result: unknown = known(bindings);
  if (typeof result === 'boolean') return { holds: result, why: `failed rule: ${text}` };
  const error = result instanceof Error ? result.message : String(result);
  return { holds: false, why: `rule evaluation error: ${error}` };
};

type CelValue = string | boolean | number | bigint | null | readonly CelValue[] | Map<string, CelValue>;

/** Names that are words of CEL itself are written `__name__` in rules. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** Whole numbers are `int`, unless the schema says `number`; an object is a map by its fields' names. */
const toCel = (value: unknown, schema: Schema): CelValue => {
  if (typeof value === 'number')
    return Number.isInteger(value) && schema.type !== 'number' ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item) => toCel(item, fieldsOf(schema.items)));
  if (!isWireObject(value)) return null;
  const properties = fieldsOf(schema.properties);
  return new Map(
    Object.entries(value).map(([name, part]) => {
      const known = Object.hasOwn(properties, name);
      const inner = fieldsOf(known ? properties[name] : schema.additionalProperties);
      return [known && reserved.has(name) ? `__${name}__` : name, toCel(part, inner)] as const;
    }),
  );
};
