import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ReplicaSet, sliceOf } from '@gatehouse/testing/replica-set';
import { type Answer, ask, token } from '@gatehouse/testing/started-admin';
import { someStreamFacts } from '@gatehouse/testing/stream-facts';
import fc from 'fast-check';
import { secureContextOptions } from '../tls/material.ts';

/** A replica with the right name that answers whatever it is told to, beside a good one that is asked. */
const besideAStranger = async (t: TestContext) => {
  const set = await ReplicaSet.start(t);
  let said = '{}';
  let questions = 0;
  const material = set.material();
  const server = createServer(secureContextOptions(material.trustAnchors, material), (_, response) => {
    questions += 1;
    response.setHeader('content-type', 'application/json');
    response.end(said);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const streams = ['1', '2'].map((id) => someStreamFacts({ id, claimedNamespace: 'demo' }));
  const good = await set.add('p-0', { streams: () => streams, keepMs: 60_000 });
  set.api.put(sliceOf('p-1', { address: '127.0.0.1', ports: { admin: port } }));
  return {
    questions: () => questions,
    answering: (text: string, query = ''): Promise<Answer> => {
      said = text;
      return ask(`${good.admin.url}/v1/streams${query}`, { token });
    },
  };
};

const aStream = {
  id: '7',
  method: 'M',
  target: 't',
  peer: 'p',
  identity: null,
  namespace: null,
  openedAt: '2026-05-01T12:00:00.000Z',
  version: null,
  sentAt: null,
  sentBytes: 0,
  pending: 'nothing',
  deliveredVersion: null,
  deliveredAt: null,
};

const envelope = (answer: unknown): string => JSON.stringify({ replica: 'p-1', instance: 'other', answer });

test('an answer of a newer version, with fields that we do not know, is taken', async (t) => {
  const { answering } = await besideAStranger(t);
  const { json } = await answering(envelope({ items: [{ ...aStream, colour: 'red' }], weather: 'fine' }));
  assert.deepEqual(json.partial, []);
  assert.deepEqual(json.items[2], { ...aStream, replica: 'p-1' });
});

test('an answer that says it has more, and never has, is asked for once', async (t) => {
  const { answering, questions } = await besideAStranger(t);
  const { json } = await answering(envelope({ items: [], continue: 'eA' }));
  assert.equal(json.items.length, 2);
  assert.deepEqual(json.partial, [{ replica: 'p-1', reason: 'its pages lead nowhere' }]);
  assert.equal(questions(), 1);
});

test('whatever a replica answers, ours are told of, and it is either believed or named', async (t) => {
  const { answering } = await besideAStranger(t);
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(aStream)));
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record(Object.fromEntries(Object.keys(aStream).map((name) => [name, field])), { requiredKeys: [] }),
    fc.record({ id: fc.string() }).map(({ id }) => ({ ...aStream, id })),
  );
  const page = fc.record(
    { items: fc.oneof(fc.jsonValue(), fc.array(item, { maxLength: 4 })), continue: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    { arbitrary: fc.string(), weight: 1 },
    { arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)), weight: 1 },
    { arbitrary: page.map(envelope), weight: 4 },
  );
  await fc.assert(
    fc.asyncProperty(text, async (said) => {
      const { status, json } = await answering(said);
      assert.equal(status, 200, said);
      const ours = json.items.filter(({ replica }: { replica: string }) => replica === 'p-0');
      const theirs = json.items.filter(({ replica }: { replica: string }) => replica === 'p-1');
      assert.equal(ours.length, 2, said);
      assert.equal(json.items.length, ours.length + theirs.length);
      const named = json.partial.map(({ replica }: { replica: string }) => replica);
      // One that said it had more, and had not, is believed as far as it went, and named.
      if (named.length > 0) assert.deepEqual(named, ['p-1'], said);
      else if (theirs.length === 0) assert.deepEqual(JSON.parse(said).answer.items, [], said);
    }),
    { numRuns: 200 },
  );
});
