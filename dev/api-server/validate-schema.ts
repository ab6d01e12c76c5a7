import { isDeepStrictEqual } from 'node:util';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';
import type { StatusCause } from './api-status.ts';
import type { Schema } from './field-paths.ts';
import { fieldsOf, listOf } from './object-meta.ts';

/** What a value breaks of its OpenAPI schema, in the words of the real server. CEL rules are looked at elsewhere. */
export const validateSchema = (value: unknown, schema: Schema, field = ''): readonly StatusCause[] => {
  if (value === null && schema.nullable === true) return [];
  const type = typeOf(value);
  const expected = expectedTypes(schema);
  if (
    expected.length > 0 &&
    !expected.some((each) => each === type || (each === 'number' && type === 'integer'))
  )
    return [
      {
        reason: 'FieldValueTypeInvalid',
        field,
        message: `Invalid value: ${JSON.stringify(type)}: ${field} in body must be of type ${expected.join(',')}: ${JSON.stringify(type)}`,
      },
    ];
  return [
    ...ofKind(value, schema, field),
    ...enumerated(value, schema, field),
    ...composed(value, schema, field),
  ];
};

const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const expectedTypes = (schema: Schema): readonly string[] => {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return typeof schema.type === 'string' ? [schema.type] : [];
};

const ofKind = (value: unknown, schema: Schema, field: string): readonly StatusCause[] => {
  if (typeof value === 'string') return ofText(value, schema, field);
  if (typeof value === 'number') return ofNumber(value, schema, field);
  if (Array.isArray(value)) return ofList(value, schema, field);
  return isWireObject(value) ? ofObject(value, schema, field) : [];
};

const wrong = (field: string, value: unknown, rule: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${field} in body ${rule}`,
});

/** The bound a schema sets by this name; NaN, which nothing exceeds, when it sets none. */
const bound = (schema: Schema, name: string): number => Number(schema[name] ?? Number.NaN);

/** Of a text's rules the server names the first that is broken. */
const ofText = (value: string, schema: Schema, field: string): readonly StatusCause[] => {
  const length = [...value].length;
  if (length > bound(schema, 'maxLength')) {
    const message = `Too long: may not be more than ${schema.maxLength} bytes`;
    return [{ reason: 'FieldValueTooLong', field, message }];
  }
  if (length < bound(schema, 'minLength'))
    return [wrong(field, value, `should be at least ${schema.minLength} chars long`)];
  if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern).test(value))
    return [wrong(field, value, `should match '${schema.pattern}'`)];
  if (schema.format === 'date-time' && !dateTime.test(value))
    return [wrong(field, value, `must be of type date-time: ${JSON.stringify(value)}`)];
  return [];
};

/** RFC 3339. */
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const ofNumber = (value: number, schema: Schema, field: string): readonly StatusCause[] => {
  const causes: StatusCause[] = [];
  const [minimum, maximum] = [bound(schema, 'minimum'), bound(schema, 'maximum')];
  if (value < minimum || (schema.exclusiveMinimum === true && value === minimum))
    causes.push(
      wrong(
        field,
        value,
        `should be greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`,
      ),
    );
  if (value > maximum || (schema.exclusiveMaximum === true && value === maximum))
    causes.push(
      wrong(
        field,
        value,
        `should be less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`,
      ),
    );
  if (value % bound(schema, 'multipleOf') > 0)
    causes.push(wrong(field, value, `should be a multiple of ${schema.multipleOf}`));
  if (schema.format === 'int32' && Math.abs(value) > 2 ** 31 - 1)
    causes.push(wrong(field, value, `must be of type int32: ${JSON.stringify(value)}`));
  return causes;
};

const ofList = (value: readonly unknown[], schema: Schema, field: string): readonly StatusCause[] => {
  const causes = value.flatMap((item, index) =>
    validateSchema(item, fieldsOf(schema.items), `${field}[${index}]`),
  );
  if (value.length > bound(schema, 'maxItems'))
    causes.push({
      reason: 'FieldValueTooMany',
      field,
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
    });
  if (value.length < bound(schema, 'minItems'))
    causes.push(wrong(field, value.length, `should have at least ${schema.minItems} items`));
  return [...causes, ...repeated(value, schema, field)];
};

/** Sets hold no value twice, maps no two items with the same keys. */
const repeated = (value: readonly unknown[], schema: Schema, field: string): readonly StatusCause[] => {
  const kind = schema['x-kubernetes-list-type'];
  if (kind !== 'map' && kind !== 'set') return [];
  const keys = listOf(schema['x-kubernetes-list-map-keys']).map(String);
  const identity = (item: unknown): unknown =>
    kind === 'set' ? item : Object.fromEntries(keys.map((key) => [key, fieldsOf(item)[key]]));
  const identities = value.map(identity);
  return identities.flatMap((each, index) =>
    identities.slice(0, index).some((earlier) => isDeepStrictEqual(earlier, each))
      ? [
          {
            reason: 'FieldValueDuplicate',
            field: `${field}[${index}]`,
            message: `Duplicate value: ${JSON.stringify(each)}`,
          },
        ]
      : [],
  );
};

const ofObject = (
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  field: string,
): readonly StatusCause[] => {
  const properties = fieldsOf(schema.properties);
  const pathOf = (name: string): string => (field === '' ? name : `${field}.${name}`);
  const causes = Object.entries(value).flatMap(([name, part]) => {
    if (Object.hasOwn(properties, name))
      return validateSchema(part, fieldsOf(properties[name]), pathOf(name));
    return isWireObject(schema.additionalProperties)
      ? validateSchema(part, schema.additionalProperties, pathOf(name))
      : [];
  });
  for (const name of listOf(schema.required).map(String))
    if (!Object.hasOwn(value, name))
      causes.push({ reason: 'FieldValueRequired', field: pathOf(name), message: 'Required value' });
  const count = Object.keys(value).length;
  if (count > bound(schema, 'maxProperties'))
    causes.push({
      reason: 'FieldValueTooMany',
      field,
      message: `Too many: ${count}: must have at most ${schema.maxProperties} items`,
    });
  if (count < bound(schema, 'minProperties'))
    causes.push(wrong(field, count, `should have at least ${schema.minProperties} properties`));
  return causes;
};

const enumerated = (value: unknown, schema: Schema, field: string): readonly StatusCause[] => {
  if (!Array.isArray(schema.enum) || schema.enum.some((each) => isDeepStrictEqual(each, value))) return [];
  const supported = schema.enum.map((each) => JSON.stringify(each)).join(', ');
  return [
    {
      reason: 'FieldValueNotSupported',
      field,
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`,
    },
  ];
};

const composed = (value: unknown, schema: Schema, field: string): readonly StatusCause[] => {
  const holds = (part: unknown): boolean => validateSchema(value, fieldsOf(part), field).length === 0;
  // The real server names no field for these: its path is nil.
  const broken = (rule: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    field: '<nil>',
    message: `Invalid value: "": ${JSON.stringify(field)} ${rule}`,
  });
  const causes = listOf(schema.allOf).flatMap((part) => validateSchema(value, fieldsOf(part), field));
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(holds))
    causes.push(broken('must validate at least one schema (anyOf)'));
  if (Array.isArray(schema.oneOf)) {
    const count = schema.oneOf.filter(holds).length;
    if (count !== 1)
      causes.push(
        broken(
          `must validate one and only one schema (oneOf). Found ${count === 0 ? 'none valid' : `${count} valid alternatives`}`,
        ),
      );
  }
  if (schema.not !== undefined && holds(schema.not))
    causes.push(broken('must not validate the schema (not)'));
  return causes;
};
