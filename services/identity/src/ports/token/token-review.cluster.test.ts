import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster, type WireObject } from '@gatehouse/testing/real-cluster';
import { reviewMetrics } from './token-metrics.ts';
import { TokenReview } from './token-review.ts';

const { assets, skip } = realApiServerAssets();

suite('TokenReview by a real API server', { skip, timeout: 300_000 }, () => {
  let cluster: RealCluster;
  let reviewer: TokenReview;
  before(async () => {
    cluster = await RealCluster.start(assets);
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
    const account = { namespace: 'demo', name: 'web' };
    await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    const { client } = cluster;
    reviewer = new TokenReview({
      client,
      audience: identityAudience,
      requirePodBoundToken: true,
      limit: { perSecond: 1_000, burst: 1_000 },
      maxWaitingBytes: 1_048_576,
      metrics: reviewMetrics(new Metrics('identity'), { waiting: () => reviewer.waiting }),
    });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const makePod = (name: string): Promise<WireObject> =>
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'demo', name },
      spec: { serviceAccountName: 'web', containers: [{ name: 'web', image: 'web' }] },
    });

  const review = (token: string) =>
    reviewer.review(Buffer.from(token), { from: '10.0.0.1', signal: new AbortController().signal });

  test('a projected token names its ServiceAccount and its pod', async () => {
    const pod = await makePod('web-0');
    const { uid } = pod.metadata as { readonly uid: string };
    assert.deepEqual(await review(await cluster.token(pod, identityAudience)), {
      namespace: 'demo',
      serviceAccount: 'web',
      pod: { name: 'web-0', uid },
    });
  });

  test('a token for another audience is refused', async () => {
    const token = await cluster.token(await makePod('web-1'), 'somebody.else');
    await assert.rejects(review(token), { code: 'failed-precondition' });
  });

  test('a token that is bound to no pod is refused', async () => {
    const { status } = await cluster.ask({
      method: 'POST',
      path: '/api/v1/namespaces/demo/serviceaccounts/web/token',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [identityAudience], expirationSeconds: 3_600 },
      },
    });
    const { token } = status as { readonly token: string };
    await assert.rejects(review(token), { code: 'failed-precondition', message: /not bound to a pod/ });
  });

  test('the token of a pod that was deleted and made again under its name is refused', async () => {
    const pod = await makePod('web-2');
    const token = await cluster.token(pod, identityAudience);
    await review(token);
    await cluster.remove(pod);
    await makePod('web-2');
    // The API server itself remembers a good verdict for ten seconds.
    await assert.rejects(
      async () => {
        for (const begun = Date.now(); Date.now() - begun < 60_000; await sleep(250)) await review(token);
      },
      { code: 'failed-precondition' },
    );
  });

  test('nonsense and a forged signature are refused', async () => {
    const token = await cluster.token(await makePod('web-3'), identityAudience);
    const [header, claims] = token.split('.');
    for (const bad of ['nonsense', `${header}.${claims}.${'A'.repeat(86)}`]) {
      await assert.rejects(review(bad), { code: 'failed-precondition' });
    }
  });
});
