import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { kindOf } from '@gatehouse/platform/kube/kind-table';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { Definition, Version } from './definition.ts';
import { definitions } from './definitions.ts';
import type { Schema } from './schema.ts';

/** Like no field that there is, so that a parser answers with the names it knows instead of a guess. */
const stranger = 'qqqqqqqqqqqq';

/** As many as it takes for each choice to stand beside each other one. */
const variants = 12;

/** A value of every field that the schema names, and of one that it does not. */
const sampleOf = (schema: Schema, variant: number): unknown => {
  if (schema.enum !== undefined) return schema.enum[variant % schema.enum.length];
  if (schema['x-kubernetes-int-or-string']) return 1;
  switch (schema.type) {
    case 'object': {
      if (schema.additionalProperties !== undefined) return { a: 'b' };
      const fields = Object.entries(schema.properties ?? {});
      const samples = fields.map(([name, field]) => [name, sampleOf(field, variant)]);
      return Object.fromEntries([...samples, [stranger, 1]]);
    }
    case 'array':
      return schema.items === undefined ? [] : [sampleOf(schema.items, variant)];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    case 'string':
      return 'a';
    case undefined:
      return {};
  }
};

/** What a parser says of a spec, a line each. */
const saidOf = ({ group, kind }: Definition, version: string, spec: unknown): readonly string[] => {
  const known = kindOf(group, kind);
  if (known === undefined) throw new TypeError(`${kind} has no parser`);
  const read = readObject(known, aWireObject(known, { version, spec }));
  if (read.outcome !== 'read') throw new TypeError(`${kind} is not read`);
  const { object, warnings } = read;
  return [...(isRejected(object.spec) ? object.spec.rejected : []), ...warnings].map(printProblem);
};

const everyItem = (path: string): string => path.replace(/\[\d+\]/g, '[]');

/** Path of each object to the names that its parser knows there. */
const knownTo = (
  definition: Definition,
  { name, spec }: Version,
): ReadonlyMap<string, ReadonlySet<string>> => {
  const known = new Map<string, Set<string>>();
  for (let variant = 0; variant < variants; variant += 1) {
    for (const line of saidOf(definition, name, sampleOf(spec, variant))) {
      const found = /^(\S+): unknown field: remove it; known here: (.*)$/.exec(line);
      const [, path = '', names = ''] = found ?? [];
      if (!path.endsWith(`.${stranger}`)) continue;
      const place = everyItem(path.slice(0, -stranger.length - 1));
      known.set(place, new Set([...(known.get(place) ?? []), ...names.split(', ')]));
    }
  }
  return known;
};

/** Path of each object of a schema to the names that the schema has there. */
const namedBy = (schema: Schema, path = 'spec'): ReadonlyMap<string, ReadonlySet<string>> => {
  const below = [
    ...Object.entries(schema.properties ?? {}).map(([name, field]) => namedBy(field, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : [namedBy(schema.items, `${path}[]`)]),
  ].flatMap((map) => [...map]);
  const here = schema.properties;
  return new Map(here === undefined ? below : [[path, new Set(Object.keys(here))], ...below]);
};

/** Parts that no service uses yet, so that nobody looks into them: a route of Servers sends nothing anywhere. */
const unread = [
  /^HTTPRoute spec\.rules\[\]\.backendRefs\[\]/,
  /^HTTPRoute spec\.rules\[\]\.timeouts$/,
  /^HTTPRoute spec\.rules\[\]\.filters\[\]\.responseHeaderModifier/,
];

/** Fields that only the schema has: with this filter none is read, as it is passed over with a warning. */
const schemaOnly: ReadonlySet<string> = new Set(['HTTPRoute spec.rules[].filters[].responseHeaderModifier']);

/** Fields that only the parser has: those of Gateway API's HTTPRoute, and one that older Servers are told is newer. */
const parserOnly: ReadonlySet<string> = new Set([
  'HTTPRoute spec.useDefaultGateways',
  'HTTPRoute spec.rules[].retry',
  'HTTPRoute spec.rules[].sessionPersistence',
  'Server spec.accessPolicy',
]);

/** A condition in a condition, which may nest forever: a structural schema keeps it as it is written. */
const nested = /^ServiceProfile spec\..*condition\.(?:all|any)\[\]$/;

const minus = (all: ReadonlySet<string>, excused: (name: string) => boolean): readonly string[] =>
  [...all].filter((name) => !excused(name)).sort();

test('a field is in the schema of a version exactly if its parser knows it, at every depth of every kind', () => {
  let places = 0;
  for (const definition of definitions) {
    for (const version of definition.versions) {
      const known = knownTo(definition, version);
      const named = namedBy(version.spec);
      for (const [path, names] of named) {
        const place = `${definition.kind} ${path}`;
        if (unread.some((each) => each.test(place))) continue;
        const parser = known.get(path) ?? new Set<string>();
        assert.deepEqual(
          minus(parser, (name) => parserOnly.has(`${place}.${name}`) && !names.has(name)),
          minus(names, (name) => schemaOnly.has(`${place}.${name}`)),
          `${version.name} ${place}: the parser, and the schema`,
        );
        places += 1;
      }
      const unnamed = [...known.keys()].filter((path) => !named.has(path));
      assert.deepEqual(
        unnamed.filter((path) => !nested.test(`${definition.kind} ${path}`)),
        [],
        `${definition.kind} ${version.name}: read, but not in the schema`,
      );
    }
  }
  assert.equal(places, 138);
});

/** Every spec in which one field has been left out, with the path of the field and whether the schema requires it. */
const withoutOne = function* (
  schema: Schema,
  value: unknown,
  path: string,
): Generator<{ readonly path: string; readonly required: boolean; readonly spec: unknown }> {
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const slip of withoutOne(schema.items, value[0], `${path}[0]`)) yield { ...slip, spec: [slip.spec] };
    return;
  }
  const fields = { ...(value as Record<string, unknown>) };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const { [name]: gone, ...rest } = fields;
    const required = schema.required?.includes(name) ?? false;
    yield { path: `${path}.${name}`, required, spec: rest };
    for (const slip of withoutOne(field, gone, `${path}.${name}`))
      yield { ...slip, spec: { ...fields, [name]: slip.spec } };
  }
};

/**
 * Required by the schema alone. Linkerd's first ServiceProfile wants routes, and without any it means nothing anyway; of
 * an ExternalWorkload without TLS its parser misses what would stand there.
 */
const schemaAlone: readonly string[] = [
  'ServiceProfile v1alpha1 spec.routes',
  'ExternalWorkload v1alpha1 spec.meshTls',
  'ExternalWorkload v1beta1 spec.meshTLS',
];

/** Whether a field is required may depend on another one, which rules in CEL say: so all variants count together. */
interface Requirement {
  schema: boolean;
  sometimes: boolean;
  always: boolean;
}

const requirementsOf = (definition: Definition, version: Version): ReadonlyMap<string, Requirement> => {
  const found = new Map<string, Requirement>();
  for (let variant = 0; variant < variants; variant += 1) {
    for (const { path, required, spec } of withoutOne(
      version.spec,
      sampleOf(version.spec, variant),
      'spec',
    )) {
      const said = saidOf(definition, version.name, spec);
      const missed = said.some((line) => line.startsWith(`${path}: missing`));
      const before = found.get(everyItem(path)) ?? { schema: required, sometimes: false, always: true };
      found.set(everyItem(path), {
        schema: required,
        sometimes: before.sometimes || missed,
        always: before.always && missed,
      });
    }
  }
  return found;
};

test('a field that the schema requires is missed by the parser, and none is missed always that it does not require', () => {
  const schemaOnlyNeeds: string[] = [];
  const parserOnlyNeeds: string[] = [];
  let count = 0;
  for (const definition of definitions) {
    for (const version of definition.versions) {
      for (const [path, { schema, sometimes, always }] of requirementsOf(definition, version)) {
        if (unread.some((each) => each.test(`${definition.kind} ${path}`))) continue;
        if (schema && !sometimes) schemaOnlyNeeds.push(`${definition.kind} ${version.name} ${path}`);
        if (!schema && always) parserOnlyNeeds.push(`${definition.kind} ${version.name} ${path}`);
        count += 1;
      }
    }
  }
  assert.deepEqual(schemaOnlyNeeds, schemaAlone);
  assert.deepEqual(parserOnlyNeeds, []);
  assert.equal(count, 412);
});

/** Path of each choice of a schema to what may be chosen. */
const choicesOf = (schema: Schema, path = 'spec'): ReadonlyMap<string, readonly string[]> =>
  new Map([
    ...(schema.enum === undefined ? [] : [[path, schema.enum] as const]),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      ...choicesOf(field, `${path}.${name}`),
    ]),
    ...(schema.items === undefined ? [] : choicesOf(schema.items, `${path}[]`)),
  ]);

/** The same schema, in which nothing is a choice but the type of a filter: one of unknown type is not looked into. */
const withoutChoices = (schema: Schema): Schema => {
  if (schema.enum?.includes('RequestRedirect')) return schema;
  const { enum: _, properties, items, ...rest } = schema;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, withoutChoices(field)]);
  return {
    ...rest,
    ...(items === undefined ? {} : { items: withoutChoices(items) }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(fields) }),
  };
};

test('what may be chosen is the same for the schema and for the parser', () => {
  let count = 0;
  for (const definition of definitions) {
    for (const { name: version, spec } of definition.versions) {
      const told = new Map<string, readonly string[]>();
      for (let variant = 0; variant < variants; variant += 1) {
        for (const line of saidOf(definition, version, sampleOf(withoutChoices(spec), variant))) {
          const [, path = '', choices = ''] = /^(\S+): `a` is not known here: use (.*)$/.exec(line) ?? [];
          if (path !== '') told.set(everyItem(path), choices.split(', '));
        }
      }
      for (const [path, choices] of choicesOf(spec)) {
        const place = `${definition.kind} ${path}`;
        if (unread.some((each) => each.test(place)) || place.endsWith('.filters[].type')) continue;
        assert.deepEqual(told.get(path), choices, `${version} ${place}`);
        count += 1;
      }
    }
  }
  assert.equal(count, 41);
});
