import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isWireObject } from '@gatehouse/platform/kube/parse/fields';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { parseAllDocuments } from 'yaml';
import { type KubeObject, printObjectName } from '../src/objects/kube-object.ts';
import { renderControlPlane } from '../src/render.ts';
import { readShippedRbac } from '../src/shipped-rbac.ts';
import { readValues } from '../src/values/read-values.ts';
import { fixedTrust } from '../testing/fixed-trust.ts';
import { goldenCases } from '../testing/golden-cases.ts';
import { chartFiles } from './chart-files.ts';

const folder = fileURLToPath(new URL('../../chart/', import.meta.url));

test('the generated files of the chart are up to date: `npm run chart` writes them', async () => {
  const files = chartFiles();
  assert.equal(files.size, 4);
  for (const [path, text] of files) assert.equal(await readFile(join(folder, path), 'utf8'), text, path);
});

const helm = process.env.HELM_BIN ?? '';

/** Equal for objects that mean the same: environment by name, no list of values that were given. */
const comparable = (objects: readonly KubeObject[]): ReadonlyMap<string, unknown> =>
  new Map(
    objects
      .filter(({ kind }) => kind !== 'Namespace' && kind !== 'CustomResourceDefinition')
      .map((object) => [printObjectName(object), normalise(JSON.parse(JSON.stringify(object)))] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

// biome-ignore lint/suspicious/noExplicitAny: manifests are what they are.
const normalise = (object: any): unknown => {
  if (object.metadata.name === 'gatehouse-config') {
    return { ...object, data: { 'proxy.json': JSON.parse(object.data['proxy.json']) } };
  }
  for (const container of object.spec?.template?.spec?.containers ?? []) {
    container.env.sort((a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1));
  }
  return object;
};

suite('the Helm chart', { skip: helm === '' ? 'HELM_BIN names no helm' : false }, () => {
  const render = async (
    t: TestContext,
    values: object,
    namespace: string,
  ): Promise<readonly KubeObject[]> => {
    const file = join(await temporaryFolder(t), 'values.json');
    await writeFile(file, JSON.stringify(values));
    const args = [
      'template',
      'gatehouse',
      folder,
      '--namespace',
      namespace,
      '--values',
      file,
      '--kube-version',
      '1.36.0',
    ];
    const { stdout } = await promisify(execFile)(helm, args, { maxBuffer: 2 ** 26 });
    return parseAllDocuments(stdout).flatMap((document): readonly KubeObject[] => document.toJS() ?? []);
  };

  const certificates = {
    identityTrustAnchorsPEM: fixedTrust.anchors,
    identity: { issuer: { tls: { crtPEM: fixedTrust.issuer?.certificate, keyPEM: fixedTrust.issuer?.key } } },
  };

  for (const [name, { values, trust }] of Object.entries(goldenCases)) {
    test(`makes the same objects as gatehouse install: ${name}`, async (t) => {
      const read = readValues([values]);
      const { namespace, ...chartValues } = values;
      const written = trust.anchors === undefined ? chartValues : { ...chartValues, ...certificates };
      const expected = renderControlPlane({ ...read, trust, shippedRbac: await readShippedRbac() });
      const found = comparable(await render(t, written, read.values.namespace));
      assert.deepEqual([...found.keys()], [...comparable(expected).keys()]);
      for (const [object, fields] of comparable(expected))
        assert.deepEqual(found.get(object), fields, object);
    });
  }

  test('what it notes of its values can be read by gatehouse upgrade, and holds no key', async (t) => {
    const objects = await render(t, { ...certificates, replicas: 4 }, 'mesh');
    const config = objects.find(({ metadata }) => metadata.name === 'gatehouse-config');
    assert.ok(isWireObject(config?.data));
    const text = String(config.data['values.json']);
    assert.ok(!text.includes('PRIVATE KEY'));
    const { values } = readValues([JSON.parse(text)]);
    assert.deepEqual([values.namespace, values.replicas, values.podAntiAffinity], ['mesh', 4, 'preferred']);
  });

  test('refuses values that do not exist, and a mesh without certificates', async (t) => {
    await assert.rejects(render(t, { ...certificates, replica: 3 }, 'gatehouse'), /replica/);
    await assert.rejects(render(t, {}, 'gatehouse'), /give the roots that the mesh trusts/);
    await assert.rejects(
      render(t, { identityTrustAnchorsPEM: fixedTrust.anchors }, 'gatehouse'),
      /give the issuer's certificate/,
    );
  });
});
