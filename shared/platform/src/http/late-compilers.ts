import type { FastifySerializerCompiler, FastifyServerOptions } from 'fastify';
import type { TSchema } from 'typebox';
import { validatorCompiler } from './validate.ts';

type Serializer = ReturnType<FastifySerializerCompiler<TSchema>>;

/** What makes a serializer of a response's schema, once it is loaded. */
let compile: FastifySerializerCompiler<TSchema> | undefined;

/**
 * Loads what writes responses; a hook of every request whose response has a schema. Together with Fastify's own way to check requests,
 * which we do not use, it is a third of what an admin port loads, and probes and scrapes do without.
 */
export const loadSerializers = async (): Promise<void> => {
  if (compile !== undefined) return;
  const { default: SerializerSelector } = await import('@fastify/fast-json-stringify-compiler');
  compile = SerializerSelector()({}, {}) as unknown as FastifySerializerCompiler<TSchema>;
};

/** A serializer for each schema, made for its first response. */
const serializerCompiler: FastifySerializerCompiler<TSchema> = (route) => {
  let serialize: Serializer | undefined;
  return (data) => {
    if (compile === undefined) throw new TypeError('loadSerializers comes before a response');
    serialize ??= compile(route);
    return serialize(data);
  };
};

/** How a server of ours checks requests and writes responses: Fastify's own compilers are not even loaded. */
export const lateCompilers: Pick<FastifyServerOptions, 'schemaController'> = {
  schemaController: {
    // Fastify's types know the compilers of its own libraries alone.
    compilersFactory: {
      buildValidator: () => validatorCompiler as never,
      buildSerializer: () => serializerCompiler as never,
    },
  },
};
