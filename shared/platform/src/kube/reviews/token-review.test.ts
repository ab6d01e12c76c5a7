import assert from 'node:assert/strict';
import { after, before, suite, type TestContext, test } from 'node:test';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import { type KubeClient, kubeClientAt } from '../client/client.ts';
import { askTokenReview, reviewToken, type TokenVerdict } from './token-review.ts';

const audience = 'identity.l5d.io';
const { signal } = new AbortController();
const question = { token: 'header.payload.signature', audience, signal };

const scripted = async (t: TestContext) => {
  const api = await ScriptedApi.start();
  const client = kubeClientAt(api.url, 'our-own-token');
  t.after(async () => {
    client.close();
    await api[Symbol.asyncDispose]();
  });
  return { api, client };
};

const aUser = {
  username: 'system:serviceaccount:demo:web',
  uid: 'u1',
  groups: ['g'],
  extra: { key: ['a', 'b'] },
};
const aReview = (status: unknown, more: object = {}) => ({ kind: 'TokenReview', status, ...more });
const good = { authenticated: true, audiences: [audience], user: aUser };

test('the API server is asked for exactly one audience, and says who it is', async (t) => {
  const { api, client } = await scripted(t);
  const review = reviewToken(client, question);
  const asked = await api.next();
  assert.deepEqual([asked.method, asked.path], ['POST', '/apis/authentication.k8s.io/v1/tokenreviews']);
  assert.equal(asked.headers.authorization, 'Bearer our-own-token');
  assert.deepEqual(JSON.parse(asked.body), {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: question.token, audiences: [audience] },
  });
  asked.json(201, aReview(good));
  assert.deepEqual(await review, {
    kind: 'authenticated',
    user: {
      name: 'system:serviceaccount:demo:web',
      uid: 'u1',
      groups: ['g'],
      extra: { key: ['a', 'b'] },
      audiences: [audience],
    },
  });
});

test('a token for the API server itself is asked about without audience, and may come back without', async (t) => {
  const { api, client } = await scripted(t);
  const review = reviewToken(client, { ...question, audience: { of: 'the API server' } });
  const asked = await api.next();
  assert.deepEqual(JSON.parse(asked.body).spec, { token: question.token });
  asked.json(201, aReview({ authenticated: true, user: { username: 'alice' } }));
  assert.deepEqual(await review, {
    kind: 'authenticated',
    user: { name: 'alice', uid: '', groups: [], extra: {}, audiences: [] },
  });
});

const refusals: readonly (readonly [string, unknown, string])[] = [
  ['is not known', { authenticated: false, error: 'token has expired' }, 'token has expired'],
  ['is not known, without a reason', { user: {} }, 'the API server does not know it'],
  [
    'is for another audience',
    { ...good, audiences: ['identity.l5d.io.evil'] },
    `it is not for the audience ${audience}`,
  ],
  ['was reviewed for nobody', { ...good, audiences: undefined }, `it is not for the audience ${audience}`],
  ['was reviewed for null', { ...good, audiences: null }, `it is not for the audience ${audience}`],
  ['was reviewed for an empty list', { ...good, audiences: [] }, `it is not for the audience ${audience}`],
];

test('there are 6 refusals', () => assert.equal(refusals.length, 6));
for (const [what, status, why] of refusals) {
  test(`a token that ${what} is refused`, async (t) => {
    const { api, client } = await scripted(t);
    const review = reviewToken(client, question);
    (await api.next()).json(201, aReview(status));
    assert.deepEqual(await review, { kind: 'refused', why } satisfies TokenVerdict);
  });
}

const nonsense: readonly (readonly [string, unknown])[] = [
  ['is a list', []],
  ['is another kind', { ...aReview(good), kind: 'Status' }],
  ['has no kind', { status: good }],
  ['has no status', aReview(undefined)],
  ['has a list for a status', aReview([good])],
  ['says yes in words', aReview({ ...good, authenticated: 'true' })],
  ['says yes by number', aReview({ ...good, authenticated: 1 })],
  ['has an error that is not text', aReview({ authenticated: false, error: {} })],
  ['names nobody', aReview({ ...good, user: undefined })],
  ['names a user without a name', aReview({ ...good, user: { uid: 'u1' } })],
  ['names a user by an empty name', aReview({ ...good, user: { ...aUser, username: '' } })],
  ['has a uid that is not text', aReview({ ...good, user: { ...aUser, uid: 7 } })],
  ['has groups that are not a list', aReview({ ...good, user: { ...aUser, groups: 'system:masters' } })],
  ['has extra that is not a map', aReview({ ...good, user: { ...aUser, extra: ['pod'] } })],
  ['has extra that is not a list', aReview({ ...good, user: { ...aUser, extra: { key: 'a' } } })],
  ['has one text for audiences', aReview({ ...good, audiences: audience })],
  ['is about another token', aReview(good, { spec: { token: 'of-somebody-else' } })],
];

test('there are 17 kinds of nonsense', () => assert.equal(nonsense.length, 17));
for (const [what, answer] of nonsense) {
  test(`an answer that ${what} says nothing of the token`, async (t) => {
    const { api, client } = await scripted(t);
    const unavailable = assert.rejects(reviewToken(client, question), { code: 'unavailable' });
    (await api.next()).json(201, answer);
    await unavailable;
  });
}

test('an answer that is cut at any byte says nothing of the token', async (t) => {
  const { api } = await scripted(t);
  const whole = JSON.stringify(aReview(good));
  for (let length = 0; length < whole.length; length += 1) {
    // A new connection each: what is cut on a kept one is asked again.
    const client = kubeClientAt(api.url);
    const unavailable = assert.rejects(reviewToken(client, question), { code: 'unavailable' });
    const answer = (await api.next()).open();
    answer.write(whole.slice(0, length));
    if (length % 2 === 0) answer.end();
    else answer.cut();
    await unavailable;
    client.close();
  }
});

test('a question that finds its kept connection closed is asked again on a new one', async (t) => {
  const { api, client } = await scripted(t);
  const first = reviewToken(client, question);
  (await api.next()).json(201, aReview(good));
  await first;
  const second = reviewToken(client, question);
  (await api.next()).open().cut();
  (await api.next()).json(201, aReview(good));
  assert.equal((await second).kind, 'authenticated');
});

test('an API server that refuses or fails is unavailable, and says what to grant where that is missing', async (t) => {
  const { api, client } = await scripted(t);
  const cases: readonly [number, RegExp][] = [
    [400, /reviews no tokens at the moment \(400: no\)/],
    [401, /401/],
    [403, /grant create on tokenreviews of authentication\.k8s\.io/],
    [404, /404/],
    [429, /429/],
    [500, /500/],
    [503, /503/],
  ];
  for (const [status, message] of cases) {
    const unavailable = assert.rejects(reviewToken(client, question), { code: 'unavailable', message });
    (await api.next()).json(status, { kind: 'Status', message: 'no' });
    await unavailable;
  }
});

test('an API server that wants to be asked later says when', async (t) => {
  const { api, client } = await scripted(t);
  const cases: readonly [number, Record<string, string>, number | 'unavailable'][] = [
    [429, { 'retry-after': '3' }, 3_000],
    [429, {}, 1_000],
    [503, { 'retry-after': '2' }, 2_000],
    [503, {}, 'unavailable'],
  ];
  for (const [status, headers, afterMs] of cases) {
    const outcome = askTokenReview(client, question).catch(({ code }) => ({ afterMs: code }));
    (await api.next()).json(status, { kind: 'Status' }, headers);
    assert.equal(((await outcome) as { afterMs?: unknown }).afterMs, afterMs);
  }
});

suite('TokenReview by the fake API server', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  before(async () => {
    server = await startFakeApiServer();
    client = kubeClientAt(server.url);
    server.put(
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: 'default', name: 'web', uid: 's1' },
      },
      { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name: 'web-0', uid: 'p1' } },
    );
  });
  after(async () => {
    client.close();
    await server.stop();
  });

  test('a projected token names its ServiceAccount and its pod', async () => {
    const wanted = {
      namespace: 'default',
      serviceAccount: 'web',
      pod: 'web-0',
      audiences: [audience, 'vault'],
    };
    const verdict = await reviewToken(client, { token: await server.mintToken(wanted), audience, signal });
    assert.equal(verdict.kind, 'authenticated');
    const { name, uid, groups, extra, audiences } = verdict.user;
    assert.deepEqual([name, uid, audiences], ['system:serviceaccount:default:web', 's1', [audience]]);
    assert.ok(groups.includes('system:serviceaccounts:default'));
    assert.deepEqual(extra['authentication.kubernetes.io/pod-uid'], ['p1']);
  });

  test('a token for another audience is refused', async () => {
    const token = await server.mintToken({
      namespace: 'default',
      serviceAccount: 'web',
      audiences: ['vault'],
    });
    assert.equal((await reviewToken(client, { token, audience, signal })).kind, 'refused');
  });

  test('anyone who stops waiting is told why, not that the API server is away', async () => {
    server.faults.inject({ kind: 'silence' }, { resource: 'tokenreviews' });
    const gone = new AbortController();
    const review = assert.rejects(reviewToken(client, { ...question, signal: gone.signal }), /enough/);
    gone.abort(new Error('enough'));
    await review;
  });
});
