import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenCases } from '../testing/golden-cases.ts';
import { crdKind, installedKinds } from './installed-kinds.ts';
import { renderControlPlane, renderCrds } from './render.ts';
import { readShippedRbac } from './shipped-rbac.ts';
import { readValues } from './values/read-values.ts';

test('whatever is installed is of a kind that uninstall and prune look for', async () => {
  const shippedRbac = await readShippedRbac();
  const known = [...installedKinds, crdKind].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
  assert.equal(new Set(known).size, known.length);
  for (const { values, trust } of Object.values(goldenCases)) {
    const objects = [...renderCrds(), ...renderControlPlane({ ...readValues([values]), trust, shippedRbac })];
    for (const { apiVersion, kind, metadata } of objects) {
      assert.ok(known.includes(`${apiVersion} ${kind}`), `${kind} ${metadata.name}`);
      const scope = [...installedKinds, crdKind].find((each) => each.kind === kind)?.scope;
      assert.equal(scope, metadata.namespace === undefined ? 'Cluster' : 'Namespaced', kind);
    }
  }
});
