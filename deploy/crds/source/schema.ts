/**
 * A structural schema as CustomResourceDefinitions have it: OpenAPI v3 with a type at every level, so that the API
 * server can prune what it does not name. Every level says in a sentence what it is for; `kubectl explain` prints it.
 */
export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly default?: unknown;
  readonly nullable?: true;
  readonly format?: 'int32' | 'int64' | 'date-time' | 'float';
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

/** What no schema can say, in the Common Expression Language; `self` is the value that carries the rule. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

type Bounds = Pick<Schema, 'default' | 'pattern' | 'minLength' | 'maxLength' | 'format'>;

export const text = (description: string, bounds: Bounds = {}): Schema => ({
  description,
  type: 'string',
  ...bounds,
});

export const choice = (description: string, choices: readonly string[], initially?: string): Schema => ({
  description,
  type: 'string',
  enum: choices,
  ...(initially === undefined ? {} : { default: initially }),
});

export const flag = (description: string): Schema => ({ description, type: 'boolean' });

export const whole = (
  description: string,
  {
    min,
    max,
    format = 'int32',
  }: { readonly min: number; readonly max?: number; readonly format?: 'int32' | 'int64' },
): Schema => ({
  description,
  type: 'integer',
  format,
  minimum: min,
  ...(max === undefined ? {} : { maximum: max }),
});

export const list = (
  description: string,
  items: Schema,
  bounds: Pick<
    Schema,
    'minItems' | 'maxItems' | 'default' | 'x-kubernetes-list-type' | 'x-kubernetes-list-map-keys'
  > = {},
): Schema => ({ description, type: 'array', items, ...bounds });

interface ObjectRules {
  readonly required?: readonly string[];
  readonly rules?: readonly CelRule[];
  readonly minProperties?: number;
}

export const object = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  { required, rules, minProperties }: ObjectRules = {},
): Schema => ({
  description,
  type: 'object',
  ...(required === undefined ? {} : { required }),
  ...(minProperties === undefined ? {} : { minProperties }),
  properties,
  ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
});

/** An object whose inside is not described, and kept as it is written. */
export const opaque = (description: string): Schema => ({
  description,
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
});

/**
 * The same schema, of which nothing that is written is ever dropped: unknown fields stay at every level, and so do
 * nulls, which an API server removes unless a field is nullable. For a kind of which every slip must reach the parser
 * that rejects it (design §6.1).
 */
export const keepingEverything = (schema: Schema): Schema => ({
  ...schema,
  ...(schema.properties === undefined ? {} : { properties: mapFields(schema.properties) }),
  ...(schema.items === undefined ? {} : { items: keepingEverything(schema.items) }),
  ...(schema.type === 'object' && schema.additionalProperties === undefined
    ? { 'x-kubernetes-preserve-unknown-fields': true }
    : {}),
});

const mapFields = (fields: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...keepingEverything(field), nullable: true }]),
  );
