import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { startFakeApiServer } from './fake-api-server.ts';

const aServer = async (t: TestContext) => {
  const server = await startFakeApiServer({ controllers: true });
  t.after(() => server.stop());
  return server;
};

const named = (name: string): Uint8Array => {
  const metadata = new BinaryWriter().uint32(10).string(name).finish();
  return new BinaryWriter().uint32(10).bytes(metadata).finish();
};

/** An object as the API machinery encodes it. */
const encoded = (apiVersion: string, kind: string, raw: Uint8Array): Uint8Array => {
  const typeMeta = new BinaryWriter().uint32(10).string(apiVersion).uint32(18).string(kind).finish();
  const envelope = new BinaryWriter().uint32(10).bytes(typeMeta).uint32(18).bytes(raw).finish();
  return Buffer.concat([Buffer.from('k8s\0'), envelope]);
};

const post = (url: string, body: Uint8Array) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/vnd.kubernetes.protobuf' }, body });

test('an object in protobuf is read; a kind that is not known so, or bytes that are none, are refused', async (t) => {
  const { url, read } = await aServer(t);
  const made = await post(`${url}/api/v1/namespaces`, encoded('v1', 'Namespace', named('demo')));
  assert.equal(made.status, 201);
  assert.ok(
    read({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'demo', name: 'default' } }),
  );
  const pods = `${url}/api/v1/namespaces/demo/pods`;
  assert.equal((await post(pods, encoded('v1', 'Pod', named('a')))).status, 415);
  assert.equal((await post(pods, Buffer.from('{}'))).status, 400);
  assert.equal((await post(pods, Buffer.from('k8s\0\xff\xff\xff', 'latin1'))).status, 400);
});

test('a list asked for as a Table has a row for each object, and so has a watch', async (t) => {
  const { url, put } = await aServer(t);
  put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'default' },
    spec: { containers: [{}] },
  });
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const pods = `${url}/api/v1/namespaces/default/pods`;
  const table = (await (await fetch(pods, { headers: { accept } })).json()) as Record<string, unknown>;
  assert.equal(table.kind, 'Table');
  const rows = table.rows as readonly { cells: readonly unknown[]; object: { metadata: { name: string } } }[];
  assert.deepEqual(
    rows.map(({ cells, object }) => [cells.slice(0, 2), object.metadata.name]),
    [[['a', '0/1'], 'a']],
  );
  const watch = await fetch(`${pods}?watch=true&timeoutSeconds=1`, { headers: { accept } });
  const [first] = (await watch.text()).split('\n');
  const event = JSON.parse(first ?? '');
  assert.deepEqual([event.type, event.object.kind, event.object.rows[0].cells[0]], ['ADDED', 'Table', 'a']);
  const whole = (await (await fetch(pods)).json()) as Record<string, unknown>;
  assert.equal(whole.kind, 'PodList');
});

test('a streamed list ends in a bookmark that says so', async (t) => {
  const { url } = await aServer(t);
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1';
  const text = await (await fetch(`${url}/api/v1/namespaces?${query}`)).text();
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const ends = events.filter(
    ({ object }) => object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
  );
  assert.deepEqual([events.length, ends.length, events.indexOf(ends[0])], [5, 1, 4]);
});

test('OpenAPI v3 says of each group that the server validates fields, and what custom kinds hold', async (t) => {
  const { url } = await aServer(t);
  const { paths } = (await (await fetch(`${url}/openapi/v3`)).json()) as { paths: Record<string, unknown> };
  assert.ok('api/v1' in paths && 'apis/policy.linkerd.io/v1alpha1' in paths);
  const group = await (await fetch(`${url}/openapi/v3/apis/policy.linkerd.io/v1alpha1`)).json();
  const path = '/apis/policy.linkerd.io/v1alpha1/namespaces/{namespace}/networkauthenticationpolicies/{name}';
  const { patch } =
    (group as { paths: Record<string, { patch: { parameters: { name: string }[] } }> }).paths[path] ?? {};
  assert.deepEqual(
    patch?.parameters.map(({ name }) => name),
    ['dryRun', 'fieldValidation'],
  );
  assert.equal((await fetch(`${url}/openapi/v3/apis/nobody.example/v1`)).status, 404);
});
