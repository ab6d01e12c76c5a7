import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { eventually } from '@gatehouse/testing/grpc';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import { kubeClientAt } from '../client/client.ts';
import type { WireObject } from '../parse/fields.ts';
import { NamedObject } from './named-object.ts';

const configMap = (name: string, text: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'mesh', name },
  data: { text },
});

/** Follows the ConfigMap `wanted` of a server, and keeps what it was told. */
const follow = (t: TestContext, api: FakeApiServer) => {
  const states: (string | undefined)[] = [];
  const client = kubeClientAt(api.url);
  const log = new RecordingLog();
  const object = new NamedObject({
    client,
    path: '/api/v1/namespaces/mesh/configmaps',
    name: 'wanted',
    log,
    onState: (state) => void states.push((state?.data as { readonly text?: string } | undefined)?.text),
  });
  const stop = new AbortController();
  const over = object.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await over;
    client.close();
  });
  return { states, log };
};

test('an object is told as it is, when it changes, when it goes and when it comes back, and no other is', async (t) => {
  const api = await startFakeApiServer();
  t.after(() => api.stop());
  api.put(configMap('other', 'not this'));
  const { states } = follow(t, api);
  await eventually(() => states.length === 1);
  // The watch follows the first list.
  await eventually(() => api.watches.length > 0);
  api.put(configMap('wanted', 'one'));
  api.put(configMap('other', 'nor this'));
  api.put(configMap('wanted', 'two'));
  await eventually(() => states.at(-1) === 'two');
  api.remove(configMap('wanted', ''));
  await eventually(() => states.at(-1) === undefined);
  api.put(configMap('wanted', 'three'));
  await eventually(() => states.at(-1) === 'three');
  assert.deepEqual(states, [undefined, 'one', 'two', undefined, 'three']);
});

test('what happened while the API server was away is told once it is back', async (t) => {
  const api = await startFakeApiServer({ objects: [configMap('wanted', 'before')] });
  t.after(() => api.stop());
  const { states } = follow(t, api);
  await eventually(() => api.watches.length > 0);
  await api.away(async () => {
    api.put(configMap('wanted', 'meanwhile'));
  });
  await eventually(() => states.at(-1) === 'meanwhile');
});

test('a watch that is cut is begun again without a word, and what lasts is told once', async (t) => {
  const api = await startFakeApiServer({ objects: [configMap('wanted', 'one')] });
  t.after(() => api.stop());
  const { states, log } = follow(t, api);
  await eventually(() => api.watches.length > 0);
  await api.restart();
  await eventually(() => states.length === 2 && api.watches.length > 0);
  assert.deepEqual(log.lines('warn'), []);
  await api.away(() => log.until('warn', /configmaps\/wanted cannot be followed/));
  await eventually(() => states.length >= 3);
  assert.equal(log.lines('warn').length, 1);
});
