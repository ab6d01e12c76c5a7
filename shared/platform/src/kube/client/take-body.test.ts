import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import { kubeClientAt } from './client.ts';

const never = new AbortController().signal;

test('a body is handed over as it comes, and the response has none', async () => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const arrived = Promise.withResolvers<void>();
  let text = '';
  const take = (piece: Buffer): void => {
    text += piece;
    arrived.resolve();
  };
  const answer = client.request({ path: '/', take, signal: never });
  const open = (await api.next()).open();
  open.write('{"a":');
  await arrived.promise;
  assert.equal(text, '{"a":');
  open.write('1}');
  open.end();
  assert.deepEqual([(await answer).body.length, text], [0, '{"a":1}']);
  client.close();
});

test('a refusal comes whole', async () => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const take = () => assert.fail('there is nothing to take');
  const answer = client.request({ path: '/', take, signal: never });
  (await api.next()).json(410, { reason: 'Expired' });
  const { status, body } = await answer;
  assert.deepEqual([status, body.toString()], [410, '{"reason":"Expired"}']);
  client.close();
});

test('what breaks in taking it comes back as it is, and is not the API server that is away', async () => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const bug = new TypeError('a bug');
  const take = (): void => {
    throw bug;
  };
  const broken = assert.rejects(client.request({ path: '/', take, signal: never }), bug);
  (await api.next()).json(200, {});
  await broken;
  client.close();
});

test('what is cut after its first piece is not asked for again, on a kept connection either', async () => {
  await using api = await ScriptedApi.start();
  const client = kubeClientAt(api.url);
  const first = client.request({ path: '/first', signal: never });
  (await api.next()).json(200, {});
  await first;
  const taken = Promise.withResolvers<void>();
  const cut = assert.rejects(
    client.request({ path: '/second', take: () => taken.resolve(), signal: never }),
    {
      code: 'unavailable',
    },
  );
  const open = (await api.next()).open();
  open.write('{');
  await taken.promise;
  open.cut();
  await cut;
  client.close();
});
