import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultPolicies } from '@gatehouse/core/resources/kinds/linkerd';
import { definitions } from './definitions.ts';
import type { Schema } from './schema.ts';

const page = await readFile(fileURLToPath(new URL('../../../docs/policy.md', import.meta.url)), 'utf8');

/** The first cell of each row of the section's first table, without backticks. */
const firstCells = (heading: string): readonly string[] => {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [table = ''] = /(?:^\|.*\|\n)+/m.exec(section) ?? [];
  const [, , ...rows] = table.trimEnd().split('\n');
  return rows.map((row) => row.split('|')[1]?.trim().replaceAll('`', '') ?? '');
};

/** Fields without fields of their own; a label selector counts as one. */
const leaves = (schema: Schema, path: string): readonly string[] => {
  if (schema.items !== undefined) return leaves(schema.items, `${path}[]`);
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0 || /[sS]elector$/.test(path)) return [path];
  return fields.flatMap(([name, field]) => leaves(field, path === '' ? name : `${path}.${name}`));
};

test('the table of docs/policy.md has every field of a NetworkAuthenticationPolicy, and no other', () => {
  const definition = definitions.find(({ kind }) => kind === 'NetworkAuthenticationPolicy');
  const [version] = definition?.versions ?? [];
  assert(version !== undefined);
  const fields = leaves(version.spec, '');
  assert(fields.length > 12, `only ${fields.length} fields were found`);
  // A list has a line of its own where its items need a word.
  const documented = firstCells('NetworkAuthenticationPolicy').filter(
    (name) => !/^(sources|rules)\[\]$/.test(name),
  );
  assert.deepEqual(documented.toSorted(), fields.toSorted());
});

test('the table of docs/policy.md has every default policy, and no other', () => {
  assert.deepEqual(firstCells('What governs a port').toSorted(), [...defaultPolicies].toSorted());
});
