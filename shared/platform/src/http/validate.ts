import { GatehouseError } from '@gatehouse/core/error';
import type { Problem } from '@gatehouse/core/problem';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * Checks requests against their TypeBox schemas. Text from the URL is read strictly (`2.5` is not a valid integer, where the
 * type provider's own compiler makes it 2), and a query parameter that the route does not know is refused: a mistyped
 * `namespace` would otherwise list everything.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Made for the first request: most routes see none in the life of a process, and all of them would hold up its start.
  let compiled: ReturnType<typeof Compile> | undefined;
  const properties = propertiesOf(schema);
  const where = httpPart === 'querystring' ? 'query' : (httpPart ?? 'request');
  return (data: unknown) => {
    compiled ??= Compile(schema);
    const validator = compiled;
    const problems: Problem[] = [];
    const value = httpPart === 'body' ? data : fromText(data, properties);
    if (httpPart === 'querystring') problems.push(...unknownParameters(data, properties));
    if (problems.length === 0 && validator.Check(value)) return { value };
    for (const { instancePath, message } of validator.Errors(value)) {
      const field = `${where}${instancePath.replaceAll('/', '.')}`;
      problems.push({ field, found: message, fix: 'see /v1/openapi.json' });
    }
    return { error: new GatehouseError('invalid-argument', sentence(problems), { details: { problems } }) };
  };
};

type Properties = Readonly<Record<string, { readonly type?: unknown }>>;

const propertiesOf = (schema: TSchema): Properties =>
  'properties' in schema && typeof schema.properties === 'object' ? (schema.properties as Properties) : {};

const fromText = (data: unknown, properties: Properties): unknown => {
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, text]) => [name, readText(text, properties[name]?.type)]),
  );
};

const readText = (text: unknown, type: unknown): unknown => {
  if (typeof text !== 'string') return text;
  if ((type === 'integer' || type === 'number') && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
};

const unknownParameters = (data: unknown, properties: Properties): Problem[] => {
  const known = Object.keys(properties);
  return Object.keys(data ?? {})
    .filter((name) => !known.includes(name))
    .map((name) => ({
      field: `query.${name}`,
      found: 'is not a parameter of this path',
      fix: known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`,
    }));
};

const sentence = (problems: readonly Problem[]): string =>
  problems.map(({ field, found }) => `${field} ${found}`).join('; ');
