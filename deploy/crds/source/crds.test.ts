import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kinds, kindTable } from '@gatehouse/platform/kube/kind-table';
import { parse } from 'yaml';
import { definitions } from './definitions.ts';
import { crdFiles, crdFolder, staleFiles } from './generate.ts';
import type { Schema } from './schema.ts';

test('the manifests in deploy/crds are what the code says', async () => {
  assert.deepEqual(await staleFiles(), []);
  assert.equal((await readdir(crdFolder)).length, 11);
});

test('a manifest that was changed by hand, is missing, or is one too many is noticed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-crds-'));
  try {
    const [[name = '', content = ''] = []] = crdFiles();
    for (const [file, text] of crdFiles()) await writeFile(join(folder, file), text);
    assert.deepEqual(await staleFiles(folder), []);
    await writeFile(join(folder, name), `${content}\n`);
    await writeFile(join(folder, 'old.yaml'), '');
    assert.deepEqual(await staleFiles(folder), [name, 'old.yaml']);
    await rm(join(folder, name));
    assert.deepEqual(await staleFiles(folder), [name, 'old.yaml']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('every field of every kind says what it is for', () => {
  let count = 0;
  const walk = (schema: Schema, path: string): void => {
    assert.match(schema.description ?? '', /^.{4,}[.]$/, path);
    count += 1;
    for (const [name, field] of Object.entries(schema.properties ?? {})) walk(field, `${path}.${name}`);
    if (schema.items !== undefined) walk(schema.items, `${path}[]`);
  };
  for (const { kind, versions, status } of definitions) {
    for (const { name, spec } of versions) walk(spec, `${kind} ${name} spec`);
    if (status !== undefined) walk(status, `${kind} status`);
  }
  assert.equal(count > 500, true, String(count));
});

test('the definitions and the table of kinds agree on groups, names and versions, and on the one that is stored', () => {
  const written = definitions.map(({ group, kind, plural, versions }) => ({
    group,
    wireKind: kind,
    plural,
    versions: versions.map(({ name }) => name).toReversed(),
  }));
  const known = kinds
    .map((kind) => kindTable[kind])
    .filter(({ group }) => /linkerd\.io$/.test(group))
    .map(({ group, wireKind, plural, versions }) => ({ group, wireKind, plural, versions: [...versions] }));
  const byName = (a: { wireKind: string }, b: { wireKind: string }): number =>
    a.wireKind < b.wireKind ? -1 : 1;
  assert.deepEqual(written.sort(byName), known.sort(byName));
});

test('NetworkAuthenticationPolicy keeps unknown fields and nulls at every level under its spec', async () => {
  const file = join(crdFolder, 'networkauthenticationpolicies.policy.linkerd.io.yaml');
  const { spec } = parse(await readFile(file, 'utf8'));
  let objects = 0;
  let fields = 0;
  const walk = (schema: Schema, path: string): void => {
    if (schema.type === 'object') {
      if (schema.additionalProperties === undefined) {
        assert.equal(schema['x-kubernetes-preserve-unknown-fields'], true, path);
        objects += 1;
      } else {
        assert.equal(schema.additionalProperties.nullable, true, path);
      }
    }
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      assert.equal(field.nullable, true, `${path}.${name}`);
      fields += 1;
      walk(field, `${path}.${name}`);
    }
    if (schema.items !== undefined) walk(schema.items, `${path}[]`);
  };
  walk(spec.versions[0].schema.openAPIV3Schema.properties.spec, 'spec');
  assert.deepEqual([objects, fields], [15, 40]);
});
