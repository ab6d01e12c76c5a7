import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import { RecordingLog } from '@gatehouse/testing/recording-log';
import {
  ReplicaSet,
  type ReplicaSet as Replicas,
  sliceOf,
  type TestReplica,
} from '@gatehouse/testing/replica-set';
import { type Answer, ask, token } from '@gatehouse/testing/started-admin';
import { someStreamFacts } from '@gatehouse/testing/stream-facts';
import type { StreamFacts } from '../admin/streams.ts';
import type { AdminAuthenticator } from '../http/authenticator.ts';
import { patienceMs } from './peer-patience.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };

const streamsOf = (count: number, namespace = 'demo'): readonly StreamFacts[] =>
  Array.from({ length: count }, (_, index) =>
    someStreamFacts({ id: `${index + 1}`, identity: identityOf(mesh, namespace, 'default') }),
  );

const read = ({ admin }: TestReplica, query = ''): Promise<Answer> =>
  ask(`${admin.url}/v1/streams${query}`, { token });

const placeOf = ({ replica, id }: { readonly replica: string; readonly id: string }): string =>
  `${replica}/${id}`;

const names = (answer: Answer): readonly string[] => answer.json.items.map(placeOf);

/** All pages of a list. */
const readAll = async (replica: TestReplica, limit: number, filter = ''): Promise<readonly string[][]> => {
  const pages: string[][] = [];
  let query = `?limit=${limit}${filter}`;
  for (;;) {
    const { json } = await read(replica, query);
    pages.push(json.items.map(placeOf));
    if (json.continue === undefined) return pages;
    query = `?limit=${limit}${filter}&continue=${json.continue}`;
  }
};

const three = async (set: Replicas, options: Parameters<Replicas['add']>[1] = {}) =>
  Promise.all(
    [3, 0, 4].map((count, index) => set.add(`p-${index}`, { streams: () => streamsOf(count), ...options })),
  );

test('whichever replica is asked, it tells of the streams of all, each with the replica that has it', async (t) => {
  const replicas = await three(await ReplicaSet.start(t));
  const all = ['p-0/1', 'p-0/2', 'p-0/3', 'p-2/1', 'p-2/2', 'p-2/3', 'p-2/4'];
  for (const replica of replicas) {
    const answer = await read(replica);
    assert.deepEqual(names(answer), all, replica.pod);
    assert.deepEqual(answer.json.partial, []);
  }
});

test('pages over all replicas are full, in one order, and may be read from another replica each time', async (t) => {
  const [first, second, third] = await three(await ReplicaSet.start(t));
  assert.ok(first && second && third);
  const pages = [['p-0/1', 'p-0/2'], ['p-0/3', 'p-2/1'], ['p-2/2', 'p-2/3'], ['p-2/4']];
  assert.deepEqual(await readAll(second, 2), pages);
  let query = '?limit=2';
  for (const [index, replica] of [first, second, third, first].entries()) {
    const answer = await read(replica, query);
    assert.deepEqual(names(answer), pages[index]);
    query = `?limit=2&continue=${answer.json.continue}`;
  }
});

test('a filter is applied by every replica, and a bad query bothers none of them', async (t) => {
  const set = await ReplicaSet.start(t);
  const [first] = await Promise.all([
    set.add('p-0', { streams: () => streamsOf(1, 'red') }),
    set.add('p-1', { streams: () => [...streamsOf(1, 'blue'), ...streamsOf(2, 'red').slice(1)] }),
  ]);
  assert.ok(first);
  assert.deepEqual(names(await read(first, '?namespace=red')), ['p-0/1', 'p-1/2']);
  assert.deepEqual(names(await read(first, '?namespace=blue')), ['p-1/1']);
  const before = set.api.requests.length;
  for (const query of ['?limit=0', '?continue=!!', '?colour=red']) {
    assert.equal((await read(first, query)).status, 400, query);
  }
  assert.equal(set.api.requests.length, before);
});

test('a caller sees what he may see on all replicas, in full pages that tell nothing of the rest', async (t) => {
  const mayRead = async (_: string, namespace: string | undefined): Promise<boolean> => namespace === 'red';
  const authenticator: AdminAuthenticator = {
    authenticate: async () => ({ kind: 'accepted', caller: { name: 'jane', mayRead } }),
  };
  const set = await ReplicaSet.start(t);
  const mixed = (from: number): readonly StreamFacts[] =>
    ['red', 'blue', 'blue', 'red'].flatMap((namespace, index) =>
      streamsOf(1, namespace).map((stream) => ({ ...stream, id: `${from + index}` })),
    );
  const [first] = await Promise.all(
    [0, 1].map((index) => set.add(`p-${index}`, { streams: () => mixed(1), authenticator })),
  );
  assert.ok(first);
  assert.deepEqual(await readAll(first, 1), [['p-0/1'], ['p-0/4'], ['p-1/1'], ['p-1/4']]);
  assert.deepEqual(await readAll(first, 3), [['p-0/1', 'p-0/4', 'p-1/1'], ['p-1/4']]);
});

test('a replica that is gone is named with the reason, and the others are told of all the same', async (t) => {
  const log = new RecordingLog();
  const clock = { now: 0 };
  const elapsed = (): number => clock.now;
  const [first, second, third] = await three(await ReplicaSet.start(t), { log, elapsed });
  assert.ok(first && second && third);
  await read(first);
  await third.admin.close();
  const answer = await read(first);
  assert.deepEqual(names(answer), ['p-0/1', 'p-0/2', 'p-0/3']);
  assert.deepEqual(
    answer.json.partial.map(({ replica }: { replica: string }) => replica),
    ['p-2'],
  );
  assert.match(answer.json.partial[0].reason, /^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  assert.deepEqual(log.lines('warn'), []);
  clock.now = patienceMs;
  await read(first);
  await read(first);
  // Clients cannot fill the log.
  assert.deepEqual(log.lines('warn'), ['an answer is without the part of another replica']);
});

test('when nobody can say who the others are, those known last are asked, and that is said', async (t) => {
  const set = await ReplicaSet.start(t);
  const [first] = await three(set);
  assert.ok(first);
  await read(first);
  await set.api.stop();
  const answer = await read(first);
  assert.equal(answer.json.items.length, 7);
  assert.equal(answer.json.partial.length, 1);
  assert.equal(answer.json.partial[0].replica, '*');
  assert.match(answer.json.partial[0].reason, /cannot be reached/);
});

test('replicas answer each other only of themselves: a question makes one call for each other replica', async (t) => {
  const replicas = await three(await ReplicaSet.start(t));
  const [first] = replicas;
  assert.ok(first);
  await read(first);
  const counts = await Promise.all(
    replicas.map(
      async ({ metrics }) => /peer_requests_total\{result="ok",.*\} (\d+)/.exec(await metrics.text())?.[1],
    ),
  );
  assert.deepEqual(counts, ['2', undefined, undefined]);
});

test('a replica that does not recognise its own pod notices by the answer that it asks itself', async (t) => {
  const set = await ReplicaSet.start(t);
  const only = await set.add('p-0', { streams: () => streamsOf(1) });
  set.api.remove(sliceOf('p-0', { address: '127.0.0.1', ports: { admin: only.port } }));
  set.api.put(sliceOf('p-0-by-another-name', { address: '127.0.0.1', ports: { admin: only.port } }));
  const answer = await read(only);
  assert.deepEqual(names(answer), ['p-0/1']);
  assert.deepEqual(answer.json.partial, []);
});

test('replicas that were given one name are not mixed up: the second is named with what to fix', async (t) => {
  const set = await ReplicaSet.start(t);
  const [first, second] = [
    await set.add('one-name', { streams: () => streamsOf(1) }),
    await set.add('one-name', { streams: () => streamsOf(2) }),
  ];
  // The controller knows them apart.
  set.api.remove(sliceOf('one-name', { address: '127.0.0.1', ports: {} }));
  for (const [index, { port }] of [first, second].entries()) {
    set.api.put(sliceOf(`p-${index}`, { address: '127.0.0.1', ports: { admin: port } }));
  }
  const answer = await read(first);
  assert.deepEqual(names(answer), ['one-name/1']);
  assert.deepEqual(answer.json.partial, [
    {
      replica: 'p-1',
      reason: "it calls itself one-name, as another does: GATEHOUSE_POD_NAME must be the pod's own name",
    },
  ]);
});

test('a replica that is listed under two names is told of once', async (t) => {
  const set = await ReplicaSet.start(t);
  const [first, second] = await Promise.all([
    set.add('p-0'),
    set.add('p-1', { streams: () => streamsOf(1) }),
  ]);
  set.api.put(sliceOf('p-1-again', { address: '127.0.0.1', ports: { admin: second.port } }));
  const answer = await read(first);
  assert.deepEqual(names(answer), ['p-1/1']);
  assert.deepEqual(answer.json.partial, []);
});

test('readiness does not depend on other replicas, and health tells who they are', async (t) => {
  const set = await ReplicaSet.start(t);
  const [first, second] = await three(set);
  assert.ok(first && second);
  const health = async () => (await ask(`${first.admin.url}/v1/health`, { token })).json;
  assert.deepEqual((await health()).replicas, { self: 'p-0', others: ['p-1', 'p-2'], problem: null });
  await second.admin.close();
  await set.api.stop();
  assert.equal((await ask(`${first.admin.url}/ready`)).status, 200);
  const { ready, replicas } = await health();
  assert.deepEqual([ready, replicas.others], [true, ['p-1', 'p-2']]);
  assert.match(replicas.problem, /cannot be reached/);
});
