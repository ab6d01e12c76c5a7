import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { sliceOf } from '@gatehouse/testing/replica-set';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import { kubeClientAt } from '../kube/client/client.ts';
import { PeerDirectory, type PeerDirectoryOptions } from './peer-directory.ts';

const aDirectory = (t: TestContext, url: string, more: Partial<PeerDirectoryOptions> = {}): PeerDirectory => {
  const client = kubeClientAt(url);
  const directory = new PeerDirectory({
    client,
    namespace: 'gatehouse',
    service: 'gatehouse-policy-admin',
    self: 'p-0',
    adminPort: 9997,
    now: Date.now,
    ...more,
  });
  t.after(() => {
    directory.close();
    client.close();
  });
  return directory;
};

const ports = { admin: 9997 };

test('the slices of its own Service in its own namespace are listed, by label', async (t) => {
  const api = await startFakeApiServer();
  t.after(() => api.stop());
  api.put(
    sliceOf('p-0', { address: '10.0.0.0', ports }),
    sliceOf('p-1', { address: '10.0.0.1', ports }),
    sliceOf('i-1', { service: 'gatehouse-identity-admin', address: '10.0.1.1', ports }),
    { ...sliceOf('q-1', { address: '10.0.2.1', ports }), metadata: elsewhere },
  );
  const found = await aDirectory(t, api.url).find();
  assert.deepEqual(found, {
    kind: 'known',
    peers: [{ name: 'p-1', address: { host: '10.0.0.1', port: 9997 } }],
  });
});

const elsewhere = {
  name: 'q-1',
  namespace: 'demo',
  labels: { 'kubernetes.io/service-name': 'gatehouse-policy-admin' },
};

test('all who ask within some seconds share one list, and later ones get a new one', async (t) => {
  let now = 0;
  const api = await startFakeApiServer();
  t.after(() => api.stop());
  const directory = aDirectory(t, api.url, { now: () => now });
  const [first, second] = await Promise.all([directory.find(), directory.find()]);
  assert.equal(first, second);
  now = 2_999;
  api.put(sliceOf('p-1', { address: '10.0.0.1', ports }));
  assert.deepEqual((await directory.find()).peers, []);
  now = 3_000;
  assert.equal((await directory.find()).peers.length, 1);
  assert.equal(api.requests.length, 2);
});

test('when the API server does not answer, refuses or talks nonsense, the last known are asked, and that is said', async (t) => {
  const api = await ScriptedApi.start();
  t.after(() => api[Symbol.asyncDispose]());
  const directory = aDirectory(t, api.url, { keepMs: 0, timeoutMs: 200 });
  const listed = directory.find();
  (await api.next()).json(200, { items: [sliceOf('p-1', { address: '10.0.0.1', ports })] });
  const { peers } = await listed;
  assert.equal(peers.length, 1);

  for (const [answer, reason] of [
    [403, /answered 403 when asked for the EndpointSlices of gatehouse\/gatehouse-policy-admin: grant list/],
    [500, /answered 500/],
    ['nonsense', /no list/],
    ['silence', /did not list them within 200 ms/],
    ['cut', /cannot be reached/],
  ] as const) {
    const asked = directory.find();
    const request = await api.next();
    if (answer === 'nonsense') request.json(200, ['no list']);
    else if (answer === 'cut') request.open().cut();
    else if (answer !== 'silence') request.json(answer, { kind: 'Status', code: answer });
    const found = await asked;
    assert.deepEqual([found.kind, found.peers], ['unsure', peers], `${answer}`);
    assert.match(found.kind === 'unsure' ? found.reason : '', reason);
  }
});
