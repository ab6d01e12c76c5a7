import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RateLimit } from '@gatehouse/core/token-bucket';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { Fault } from '@gatehouse/dev/api-server/faults';
import { type KubeClient, kubeClientAt } from '@gatehouse/platform/kube/client/client';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { ScriptedApi } from '@gatehouse/testing/scripted-api';
import type { Caller } from '../../certify/certify.ts';
import { reviewMetrics } from './token-metrics.ts';
import { TokenReview } from './token-review.ts';

const audience = 'identity.l5d.io';
const token = Buffer.from('header.payload.signature');

interface Wanted {
  readonly requirePodBoundToken?: boolean;
  readonly limit?: RateLimit;
}

const aReviewer = (
  client: KubeClient,
  { requirePodBoundToken = true, limit = { perSecond: 100_000, burst: 100_000 } }: Wanted,
) => {
  const told = new Metrics('identity');
  const metrics = reviewMetrics(told, { waiting: () => reviewer.waiting });
  const reviewer: TokenReview = new TokenReview({
    client,
    audience,
    requirePodBoundToken,
    limit,
    maxWaitingBytes: 1_048_576,
    metrics,
  });
  const review = (bytes: Uint8Array, signal = new AbortController().signal): Promise<Caller> =>
    reviewer.review(bytes, { from: '10.0.0.1', signal });
  /** What the metrics say, each series in one word. */
  const counted = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries(
      [...(await told.text()).matchAll(/reviews_total\{result="(\w+)".*\} (\d+)/g)].map(
        ([, result, count]) => [result, Number(count)],
      ),
    );
  return { reviewer, review, counted, told };
};

/** On an API server that answers exactly what the test says. */
const scripted = async (t: TestContext, wanted: Wanted = {}) => {
  const api = await ScriptedApi.start();
  const client = kubeClientAt(api.url, 'our-own-token');
  t.after(async () => {
    client.close();
    await api[Symbol.asyncDispose]();
  });
  return { api, ...aReviewer(client, wanted) };
};

const pod = {
  'authentication.kubernetes.io/pod-name': ['web-0'],
  'authentication.kubernetes.io/pod-uid': ['uid-0'],
};

const aReview = (status: unknown = aStatus()) => ({ kind: 'TokenReview', status });

const aStatus = (more: object = {}) => ({
  authenticated: true,
  audiences: [audience],
  user: { username: 'system:serviceaccount:demo:web.v1', extra: pod },
  ...more,
});

test('the API server is asked for exactly our audience, and says whose token it is and of which pod', async (t) => {
  const { api, review } = await scripted(t);
  const answer = review(token);
  const asked = await api.next();
  assert.deepEqual(JSON.parse(asked.body).spec, { token: 'header.payload.signature', audiences: [audience] });
  asked.json(201, aReview());
  assert.deepEqual(await answer, {
    namespace: 'demo',
    serviceAccount: 'web.v1',
    pod: { name: 'web-0', uid: 'uid-0' },
  });
});

const refusals: readonly (readonly [string, unknown, RegExp])[] = [
  ['is not known', { authenticated: false, error: 'token has expired' }, /not accepted: token has expired/],
  ['was reviewed for nobody', aStatus({ audiences: undefined }), /not for the audience identity.l5d.io/],
  [
    'is a person',
    aStatus({ user: { username: 'system:admin', extra: pod } }),
    /does not belong to a ServiceAccount/,
  ],
  ['has no pod', aStatus({ user: { username: 'system:serviceaccount:demo:web' } }), /not bound to a pod/],
];

test('there are 4 refusals', () => assert.equal(refusals.length, 4));
for (const [what, status, message] of refusals) {
  test(`a token that ${what} proves nothing`, async (t) => {
    const { api, review } = await scripted(t);
    const refused = assert.rejects(review(token), { code: 'failed-precondition', message });
    (await api.next()).json(201, aReview(status));
    await refused;
  });
}

test('a token of the ServiceAccount alone is taken where that is allowed', async (t) => {
  const { api, review } = await scripted(t, { requirePodBoundToken: false });
  const answer = review(token);
  const alone = aStatus({ user: { username: 'system:serviceaccount:demo:web' } });
  (await api.next()).json(201, aReview(alone));
  assert.equal((await answer).pod, undefined);
});

test('what is not a valid token is not sent on', async (t) => {
  const { review } = await scripted(t);
  for (const text of ['a b', 'a\nb', 'ü', '\u0000', '']) {
    assert.throws(() => review(Buffer.from(text)), { code: 'invalid-argument' });
  }
});

test('calls with one token share one review while it lasts, and no longer', async (t) => {
  const { api, review, counted } = await scripted(t);
  const all = [review(token), review(token), review(token)];
  (await api.next()).json(201, aReview());
  const [first, second, third] = await Promise.all(all);
  assert.deepEqual([first, second], [second, third]);
  const fourth = assert.rejects(review(token), { code: 'failed-precondition' });
  (await api.next()).json(201, aReview({ authenticated: false }));
  await fourth;
  assert.deepEqual(await counted(), { authenticated: 1, refused: 1 });
});

test('who goes away is told so at once; the review goes on for the others, and ends with the last', async (t) => {
  const { api, review, counted } = await scripted(t);
  const gone = [new AbortController(), new AbortController(), new AbortController()];
  const [first, second, third] = gone.map(({ signal }) => review(token, signal));
  const asked = await api.next();
  gone[0]?.abort();
  await assert.rejects(first ?? Promise.resolve(), { code: 'cancelled' });
  const answer = asked.open();
  gone[1]?.abort();
  await assert.rejects(second ?? Promise.resolve(), { code: 'cancelled' });
  gone[2]?.abort();
  await assert.rejects(third ?? Promise.resolve(), { code: 'cancelled' });
  await answer.left;
  assert.deepEqual(await counted(), { abandoned: 1 });
});

test('a caller that goes away while it waits for a permit leaves it to the others', async (t) => {
  const { api, reviewer, review } = await scripted(t);
  const held = Array.from({ length: 50 }, (_, index) => review(Buffer.from(`held-${index}`)));
  const gone = new AbortController();
  const left = assert.rejects(review(Buffer.from('gone'), gone.signal), { code: 'cancelled' });
  const last = review(Buffer.from('last'));
  const asked = await Promise.all(held.map(() => api.next()));
  assert.equal(reviewer.waiting, 2);
  gone.abort();
  await left;
  assert.equal(reviewer.waiting, 1);
  asked[0]?.json(201, aReview());
  const next = await api.next();
  assert.equal(JSON.parse(next.body).spec.token, 'last');
  for (const one of [next, ...asked.slice(1)]) one.json(201, aReview());
  await Promise.all([...held, last]);
});

test('an API server that asks for a pause gets it, and every review its answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { api, review, counted } = await scripted(t);
  const [first, second] = [review(Buffer.from('first')), review(Buffer.from('second'))];
  const asked = [await api.next(), await api.next()];
  for (const one of asked) one.json(429, { kind: 'Status' }, { 'retry-after': '1' });
  // Both answers must have been read before time goes on.
  while (((await counted()).later ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
  const third = review(Buffer.from('third'));
  const order: string[] = [];
  const next = api.next();
  // Nothing was sent during the pause: what comes next comes only now.
  await passUntil(t, next);
  for (const one of [await next, await api.next(), await api.next()]) {
    order.push(JSON.parse(one.body).spec.token);
    one.json(201, aReview());
  }
  assert.equal((await Promise.all([first, second, third])).length, 3);
  assert.deepEqual(order.toSorted(), ['first', 'second', 'third']);
  assert.deepEqual(await counted(), { authenticated: 3, later: 2 });
});

/** Lets the clock of the queue go on, in small steps, until something has come of it. */
const passUntil = async (t: TestContext, something: Promise<unknown>): Promise<void> => {
  let isThere = false;
  void something.then(() => {
    isThere = true;
  });
  while (!isThere) {
    t.mock.timers.tick(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

test('an API server that never answers is unavailable after 8 s', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { api, review, counted } = await scripted(t);
  const late = assert.rejects(review(token), {
    code: 'unavailable',
    message: /reviewed no token within 8 s/,
  });
  const { left } = (await api.next()).open();
  t.mock.timers.tick(8_000);
  await Promise.all([late, left]);
  assert.deepEqual(await counted(), { unavailable: 1 });
});

test('a rate that is set low is kept to', async (t) => {
  const { api, reviewer, review } = await scripted(t, { limit: { perSecond: 1, burst: 2 } });
  const gone = new AbortController();
  const all = ['a', 'b', 'c'].map((name) => review(Buffer.from(name), gone.signal));
  (await api.next()).json(201, aReview());
  (await api.next()).json(201, aReview());
  await Promise.all(all.slice(0, 2));
  assert.equal(reviewer.waiting, 1);
  gone.abort();
  await assert.rejects(all[2] ?? Promise.resolve(), { code: 'cancelled' });
});

test('what is told counts results, who waits and how long the API server took', async (t) => {
  const { api, review, told } = await scripted(t);
  const answer = review(token);
  (await api.next()).json(201, aReview());
  await answer;
  const text = await told.text();
  assert.match(text, /gatehouse_identity_token_reviews_waiting\{.*\} 0/);
  assert.match(text, /gatehouse_identity_token_review_duration_seconds_count\{.*\} 1/);
});

/** What may befall a review at the API server, and what comes of it. */
const faults: readonly (readonly [string, Fault, 'believed' | RegExp])[] = [
  ['answers 400', { kind: 'status', code: 400 }, /\(400: an injected fault\)/],
  ['answers 401', { kind: 'status', code: 401 }, /\(401/],
  ['answers 403', { kind: 'status', code: 403 }, /grant create on tokenreviews/],
  ['answers 500', { kind: 'status', code: 500 }, /\(500/],
  ['answers 503', { kind: 'status', code: 503 }, /\(503/],
  ['hangs up', { kind: 'hang-up' }, /cannot be reached/],
  ['breaks off in the middle', { kind: 'cut', where: 'line' }, /cannot be reached/],
  ['talks nonsense', { kind: 'garbage' }, /makes no sense/],
  ['is slow', { kind: 'slow', ms: 200 }, 'believed'],
  ['asks for a pause', { kind: 'status', code: 429, retryAfterSeconds: 1 }, 'believed'],
  ['is about to end', { kind: 'status', code: 503, retryAfterSeconds: 1 }, 'believed'],
  ['asks for a long pause', { kind: 'status', code: 429, retryAfterSeconds: 20 }, /no tokens for 20 s/],
];

test('there are 12 faults', () => assert.equal(faults.length, 12));
for (const [what, fault, expected] of faults) {
  test(`an API server that ${what} ${expected === 'believed' ? 'is believed in the end' : 'makes nobody unproved, only unavailable'}`, async (t) => {
    const { server, review, mint } = await onFake(t);
    const minted = await mint();
    server.faults.inject(fault, { resource: 'tokenreviews' });
    if (expected === 'believed') {
      assert.equal((await review(minted)).pod?.uid, 'p1');
    } else {
      await assert.rejects(review(minted), { code: 'unavailable', message: expected });
    }
    assert.equal(server.faults.waiting, 0);
  });
}

test('an API server that is away is unavailable, and believed again once it is back', async (t) => {
  const { server, review, mint } = await onFake(t);
  const minted = await mint();
  await review(minted);
  await server.restart();
  assert.equal((await review(minted)).pod?.uid, 'p1', 'a connection from before is not held against it');
  await server.stop();
  await assert.rejects(review(minted), { code: 'unavailable' });
});

test('500 pods that ask twice at the same time are reviewed once each', async (t) => {
  const { server, review, mint, counted } = await onFake(t);
  const tokens = await Promise.all(Array.from({ length: 500 }, mint));
  const callers = await Promise.all([...tokens, ...tokens].map((each) => review(each)));
  assert.equal(callers.filter(({ serviceAccount }) => serviceAccount === 'web').length, 1_000);
  assert.deepEqual(await counted(), { authenticated: 500 });
  assert.equal(server.requests.filter(({ path }) => path.endsWith('/tokenreviews')).length, 500);
});

test('the token of a pod that is gone, or was made again, is refused at once', async (t) => {
  const { server, review, mint } = await onFake(t);
  const minted = await mint();
  await review(minted);
  const again = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name: 'web-0', uid: 'p2' },
  };
  server.remove(again);
  await assert.rejects(review(minted), { code: 'failed-precondition' });
  server.put(again);
  await assert.rejects(review(minted), { code: 'failed-precondition' });
  assert.equal((await review(await mint())).pod?.uid, 'p2');
});

/** On the fake API server, with a ServiceAccount `web` and its pod. */
const onFake = async (t: TestContext) => {
  const server = await startFakeApiServer();
  const client = kubeClientAt(server.url);
  t.after(async () => {
    client.close();
    await server.stop();
  });
  const metadata = { namespace: 'default' };
  server.put(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, name: 'web', uid: 's1' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'web-0', uid: 'p1' } },
  );
  const mint = async (): Promise<Uint8Array> =>
    Buffer.from(
      await server.mintToken({
        namespace: 'default',
        serviceAccount: 'web',
        pod: 'web-0',
        audiences: [audience],
      }),
    );
  return { server, mint, ...aReviewer(client, {}) };
};
