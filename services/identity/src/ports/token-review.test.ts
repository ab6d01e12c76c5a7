import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { kubeClientAt } from '@gatehouse/shared/kube/client';
import { ScriptedApi } from '@gatehouse/shared/testing/scripted-api';
import { TokenReview } from './token-review.ts';

const audience = 'identity.l5d.io';
const token = Buffer.from('header.payload.signature');

const aReviewer = async (
  t: TestContext,
  { requirePodBoundToken = true } = {},
): Promise<{ readonly api: ScriptedApi; readonly reviewer: TokenReview }> => {
  const api = await ScriptedApi.start();
  const client = kubeClientAt(api.url, 'our-own-token');
  t.after(async () => {
    client.close();
    await api[Symbol.asyncDispose]();
  });
  return { api, reviewer: new TokenReview({ client, audience, requirePodBoundToken }) };
};

const pod = {
  'authentication.kubernetes.io/pod-name': ['web-0'],
  'authentication.kubernetes.io/pod-uid': ['uid-0'],
};

const aStatus = (more: object = {}) => ({
  authenticated: true,
  audiences: [audience],
  user: { username: 'system:serviceaccount:demo:web.v1', extra: pod },
  ...more,
});

test('the API server is asked for exactly our audience, and says whose token it is and of which pod', async (t) => {
  const { api, reviewer } = await aReviewer(t);
  const review = reviewer.review(token);
  const asked = await api.next();
  assert.deepEqual([asked.method, asked.path], ['POST', '/apis/authentication.k8s.io/v1/tokenreviews']);
  assert.equal(asked.headers.authorization, 'Bearer our-own-token');
  assert.deepEqual(JSON.parse(asked.body), {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: 'header.payload.signature', audiences: [audience] },
  });
  asked.json(201, { status: aStatus() });
  assert.deepEqual(await review, {
    namespace: 'demo',
    serviceAccount: 'web.v1',
    pod: { name: 'web-0', uid: 'uid-0' },
  });
});

const refusals: readonly (readonly [string, unknown, RegExp])[] = [
  ['is not known', { authenticated: false, error: 'token has expired' }, /not accepted: token has expired/],
  ['is not known, without a reason', {}, /the API server does not know it/],
  ['was reviewed for nobody', aStatus({ audiences: undefined }), /not for the audience identity.l5d.io/],
  ['is for another audience', aStatus({ audiences: ['identity.l5d.io.evil'] }), /not for the audience/],
  ['is a person', aStatus({ user: { username: 'system:admin', extra: pod } }), /no ServiceAccount/],
  [
    'has a name with too many parts',
    aStatus({ user: { username: 'system:serviceaccount:a:b:c' } }),
    /no ServiceAccount/,
  ],
  ['has no pod', aStatus({ user: { username: 'system:serviceaccount:demo:web' } }), /not bound to a pod/],
  [
    'has half a pod',
    aStatus({
      user: {
        username: 'system:serviceaccount:demo:web',
        extra: { 'authentication.kubernetes.io/pod-name': ['web-0'] },
      },
    }),
    /not bound to a pod/,
  ],
];

test('there are 8 refusals', () => assert.equal(refusals.length, 8));
for (const [what, status, message] of refusals) {
  test(`a token that ${what} proves nothing`, async (t) => {
    const { api, reviewer } = await aReviewer(t);
    const refused = assert.rejects(reviewer.review(token), { code: 'failed-precondition', message });
    (await api.next()).json(201, { status });
    await refused;
  });
}

test('a token of the ServiceAccount alone is taken where that is allowed', async (t) => {
  const { api, reviewer } = await aReviewer(t, { requirePodBoundToken: false });
  const review = reviewer.review(token);
  (await api.next()).json(201, {
    status: aStatus({ user: { username: 'system:serviceaccount:demo:web' } }),
  });
  assert.equal((await review).pod, undefined);
});

test('an API server that refuses, fails, breaks off or talks nonsense makes nobody unproved, only unavailable', async (t) => {
  const { api, reviewer } = await aReviewer(t);
  for (const answer of [403, 429, 500, 'cut', 'nonsense'] as const) {
    const unavailable = assert.rejects(reviewer.review(token), { code: 'unavailable' });
    const asked = await api.next();
    if (answer === 'cut') asked.open().cut();
    else if (answer === 'nonsense') asked.json(201, ['no review']);
    else asked.json(answer, { kind: 'Status', code: answer });
    await unavailable;
  }
});

test('what is no token is not sent on', async (t) => {
  const { reviewer } = await aReviewer(t);
  for (const text of ['a b', 'a\nb', 'ü', '\u0000']) {
    assert.throws(() => reviewer.review(Buffer.from(text)), { code: 'invalid-argument' });
  }
});

test('calls with one token share one review while it lasts, and no longer', async (t) => {
  const { api, reviewer } = await aReviewer(t);
  const [first, second] = [reviewer.review(token), reviewer.review(token)];
  (await api.next()).json(201, { status: aStatus() });
  assert.deepEqual(await first, await second);
  const third = assert.rejects(reviewer.review(token), { code: 'failed-precondition' });
  (await api.next()).json(201, { status: { authenticated: false } });
  await third;
});

test('50 reviews are under way at most; the others wait their turn, oldest first', async (t) => {
  const { api, reviewer } = await aReviewer(t);
  const reviews = Array.from({ length: 53 }, (_, index) => reviewer.review(Buffer.from(`token-${index}`)));
  assert.equal(reviewer.waiting, 3);
  const asked = await Promise.all(Array.from({ length: 50 }, () => api.next()));
  asked[0]?.json(201, { status: aStatus() });
  const next = await api.next();
  assert.equal(JSON.parse(next.body).spec.token, 'token-50');
  assert.equal(reviewer.waiting, 2);
  for (const one of [next, ...asked.slice(1)]) one.json(201, { status: aStatus() });
  for (let left = 2; left > 0; left -= 1) (await api.next()).json(201, { status: aStatus() });
  assert.equal((await Promise.all(reviews)).length, 53);
  assert.equal(reviewer.waiting, 0);
});

test('when too many wait, the next is told to try again', async (t) => {
  const { api, reviewer } = await aReviewer(t);
  const reviews = Array.from({ length: 50 + 4_096 }, (_, index) => reviewer.review(Buffer.from(`t${index}`)));
  assert.throws(() => reviewer.review(Buffer.from('one-more')), {
    code: 'unavailable',
    message: /4096 tokens wait/,
  });
  const settled = Promise.all(reviews);
  for (let left = reviews.length; left > 0; left -= 1) (await api.next()).json(201, { status: aStatus() });
  assert.equal((await settled).length, 4_146);
});
