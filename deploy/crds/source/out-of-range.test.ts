import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
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

/** A route of Servers sends nothing anywhere, so no service looks into these. */
const isUnread = (path: string): boolean => /\.(?:backendRefs\[0\]|timeouts)(?:\.|$)/.test(path);

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

test('a value outside of what the schema allows is a problem of that field, in every version of every kind', () => {
  let count = 0;
  for (const { group, kind, versions } of definitions) {
    const known = kindOf(group, kind);
    assert(known !== undefined);
    for (const version of versions) {
      for (const { path, schema, specOf } of places(version.spec, 'spec', (value) => value)) {
        if (isUnread(path)) continue;
        for (const value of excluded(schema)) {
          const read = readObject(known, aWireObject(known, { version: version.name, spec: specOf(value) }));
          assert(read.outcome === 'read');
          const said = [...(isRejected(read.object.spec) ? read.object.spec.rejected : []), ...read.warnings];
          const lines = said.map(printProblem);
          assert(
            lines.some((line) => line.startsWith(`${path}:`)),
            `${kind} ${version.name} ${path} = ${JSON.stringify(value)}: ${lines}`,
          );
          count += 1;
        }
      }
    }
  }
  assert.equal(count, 193);
});
