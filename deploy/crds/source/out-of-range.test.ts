import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { kindOf } from '@gatehouse/platform/kube/kind-table';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { definitions } from './definitions.ts';
import type { Schema } from './schema.ts';

/** Numbers and choices that a field's schema excludes, though they are of its type. */
const excluded = ({ type, minimum, maximum, enum: choices }: Schema): readonly unknown[] => [
  ...(choices === undefined ? [] : ['Qqqq', '']),
  ...(minimum === undefined ? [] : [minimum - 1]),
  ...(maximum === undefined ? [] : [maximum + 1]),
  ...(type === 'integer' ? [1.5, 2 ** 53] : []),
];

const ofTypes = { string: 'x', integer: 7, boolean: true, array: [], object: {} } as const;

/** A value of every other type. Any number stands for an integer, and is what the table above excludes. */
const mistyped = (schema: Schema): readonly unknown[] => {
  const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : [schema.type ?? ''];
  const good = new Set(types.map((type) => (type === 'number' ? 'integer' : type)));
  return Object.entries(ofTypes).flatMap(([type, value]) => (good.has(type) ? [] : [value]));
};

/** A route of Servers sends nothing anywhere and a proxy changes no responses, so no service looks into these. */
const isUnread = (path: string): boolean =>
  /^spec\.rules\[0\]\.(?:backendRefs|timeouts|name|filters\[0\]\.responseHeaderModifier)(?:[.[]|$)/.test(
    path,
  );

/** Every place of a spec at which a schema speaks of one value, with what leads to it. */
const places = function* (
  schema: Schema,
  path: string,
  wrap: (value: unknown) => unknown,
): Generator<{
  readonly path: string;
  readonly schema: Schema;
  readonly specOf: (value: unknown) => unknown;
}> {
  if (schema.items !== undefined) yield* places(schema.items, `${path}[0]`, (value) => wrap([value]));
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    // A filter is read as what its type says.
    const type = schema.properties?.type?.enum?.find((choice) => choice.toLowerCase() === name.toLowerCase());
    const inner = (value: unknown): unknown =>
      wrap(type === undefined ? { [name]: value } : { type, [name]: value });
    yield { path: `${path}.${name}`, schema: field, specOf: inner };
    yield* places(field, `${path}.${name}`, inner);
  }
};

/** What is said of an object in which one field has a value, and every such object of every kind and version. */
const slips = function* (
  wrong: (schema: Schema, kind: Kind) => readonly unknown[],
): Generator<{ readonly what: string; readonly path: string; readonly lines: readonly string[] }> {
  for (const { group, kind, versions } of definitions) {
    const known = kindOf(group, kind);
    assert(known !== undefined);
    for (const version of versions) {
      for (const { path, schema, specOf } of places(version.spec, 'spec', (value) => value)) {
        if (isUnread(path)) continue;
        for (const value of wrong(schema, known)) {
          const read = readObject(known, aWireObject(known, { version: version.name, spec: specOf(value) }));
          assert(read.outcome === 'read');
          const said = [...(isRejected(read.object.spec) ? read.object.spec.rejected : []), ...read.warnings];
          const what = `${kind} ${version.name} ${path} = ${JSON.stringify(value)}`;
          yield { what, path, lines: said.map(printProblem) };
        }
      }
    }
  }
};

test('a value outside of what the schema allows is a problem of that field, in every version of every kind', () => {
  let count = 0;
  for (const { what, path, lines } of slips(excluded)) {
    assert(
      lines.some((line) => line.startsWith(`${path}:`)),
      `${what}: ${lines}`,
    );
    count += 1;
  }
  assert.equal(count, 193);
});

test('a value of another type is a problem of that field, in every version of every kind', () => {
  let count = 0;
  const missed: string[] = [];
  for (const { what, path, lines } of slips(mistyped)) {
    if (!lines.some((line) => line.startsWith(`${path}:`))) missed.push(`${what}: ${lines}`);
    count += 1;
  }
  assert.deepEqual(missed, []);
  assert.equal(count, 1_581);
});
