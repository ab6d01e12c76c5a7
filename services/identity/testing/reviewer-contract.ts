import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { aReadyDesk, certified, type ReviewDesk } from './review-desk.ts';

/** A cluster whose API server can be taken away, and given another key for tokens. */
export interface ReviewerFixture extends AsyncDisposable {
  readonly cluster: RealCluster<ClusterServer>;
  away(meanwhile: () => Promise<void>): Promise<void>;
  rotateTokenKey(old: 'kept' | 'dropped'): Promise<void>;
}

const reviewers = ['token-review', 'jwks'] as const;

/** What both reviewers promise of the tokens of a cluster, with the whole service between proxy and API server. */
export const reviewerContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<ReviewerFixture> },
): void => {
  suite(`the tokens of ${name}`, { skip, timeout: 600_000 }, () => {
    let fixture: ReviewerFixture;
    let pods = 0;
    before(async () => {
      fixture = await open();
      await fixture.cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
      for (const account of ['web', 'dotted.web.v2']) {
        await fixture.cluster.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace: 'demo', name: account },
        });
      }
    });
    after(() => fixture[Symbol.asyncDispose]());

    const aPod = (account = 'web', podName = `pod-${++pods}`): Promise<WireObject> =>
      fixture.cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'demo', name: podName },
        spec: { serviceAccountName: account, containers: [{ name: 'c', image: 'i' }] },
      });
    const nameOf = (pod: WireObject): string => String((pod.metadata as WireObject).name);
    const tokenOf = (pod: WireObject, audience = identityAudience): Promise<string> =>
      fixture.cluster.token(pod, audience);

    for (const reviewer of reviewers) {
      const story = (title: string, tell: (desk: ReviewDesk) => Promise<void>): void => {
        test(`${reviewer}: ${title}`, async (t) =>
          tell(await aReadyDesk(t, fixture.cluster.server.kubeconfig, reviewer)));
      };

      story('a pod gets the certificate of its ServiceAccount, also with dots in its name', async (desk) => {
        for (const account of ['web', 'dotted.web.v2']) {
          const pod = await aPod(account);
          assert.equal(await desk.ask(await tokenOf(pod), account), certified(account));
        }
        // That is what the choice of a reviewer is about.
        assert.equal(await desk.reviews('authenticated'), reviewer === 'jwks' ? 0 : 2);
      });

      story('nobody gets the certificate of another ServiceAccount', async (desk) => {
        assert.equal(await desk.ask(await tokenOf(await aPod()), 'dotted.web.v2'), 'failed-precondition');
      });

      story('a token for another audience, of no pod, or forged, is refused', async (desk) => {
        const pod = await aPod();
        assert.equal(await desk.ask(await tokenOf(pod, 'somebody.else')), 'failed-precondition');
        assert.equal(await desk.ask(await tokenOf(pod, `${identityAudience}.evil`)), 'failed-precondition');
        assert.equal(await desk.ask(await unboundToken(fixture.cluster)), 'failed-precondition');
        const [head, claims, seal] = (await tokenOf(pod)).split('.');
        const other = (await tokenOf(await aPod())).split('.');
        assert.equal(await desk.ask(`${head}.${other[1]}.${seal}`), 'failed-precondition');
        assert.equal(await desk.ask(`${head}.${claims}.`), 'failed-precondition');
        const none = Buffer.from('{"alg":"none"}').toString('base64url');
        assert.equal(await desk.ask(`${none}.${claims}.`), 'failed-precondition');
        assert.match(await desk.ask('nonsense'), /^(?:failed-precondition|invalid-argument)$/);
      });

      story('a pod that was made again needs a token of its own', async (desk) => {
        const pod = await aPod();
        const old = await tokenOf(pod);
        assert.equal(await desk.ask(old), certified('web'));
        await fixture.cluster.remove(pod);
        const again = await aPod('web', nameOf(pod));
        assert.equal(await desk.ask(await tokenOf(again)), certified('web'));
        // Both remember what was good for a while: the API server for 10 s, the watch for 60.
        desk.pass(61_000);
        await eventually(async () => (await desk.ask(old)) === 'failed-precondition');
        assert.equal(await desk.ask(await tokenOf(again)), certified('web'));
      });

      story('a deleted pod is refused once it has had its minute', async (desk) => {
        const pod = await aPod();
        const token = await tokenOf(pod);
        assert.equal(await desk.ask(token), certified('web'));
        await fixture.cluster.remove(pod);
        // The watch tells of what comes later only after the deletion: from here on its minute runs.
        assert.equal(await desk.ask(await tokenOf(await aPod())), certified('web'));
        desk.pass(61_000);
        await eventually(async () => (await desk.ask(token)) === 'failed-precondition');
        if (reviewer === 'token-review') return;
        // The watch was waited for, the API server asked once, and its answer is remembered.
        const asked = await desk.reviews('refused');
        assert.ok(asked >= 1);
        assert.equal(await desk.ask(token), 'failed-precondition');
        assert.equal(await desk.reviews('refused'), asked);
      });

      story('while the API server is away the reviewers part, and neither is wrong', async (desk) => {
        const token = await tokenOf(await aPod());
        assert.equal(await desk.ask(token), certified('web'));
        await fixture.away(async () => {
          assert.equal(await desk.ask(token), reviewer === 'jwks' ? certified('web') : 'unavailable');
          // What the watch last said is no longer believed: only the API server could tell.
          desk.pass(95_000);
          assert.equal(await desk.ask(token), 'unavailable');
        });
        await eventually(async () => (await desk.ask(token)) === certified('web'));
      });

      story(
        'a new key is known as soon as it is used, and an old one good for as long as it is shown',
        async (desk) => {
          const pod = await aPod();
          const old = await tokenOf(pod);
          assert.equal(await desk.ask(old), certified('web'));
          await fixture.rotateTokenKey('kept');
          desk.pass(10_000);
          const token = await tokenOf(pod);
          assert.equal(await desk.ask(token), certified('web'));
          assert.equal(await desk.ask(old), certified('web'));
          await fixture.rotateTokenKey('dropped');
          desk.pass(10_000);
          assert.equal(await desk.ask(await tokenOf(pod)), certified('web'));
          // The API server itself remembers good verdicts, but not over its own end.
          assert.deepEqual(
            [await desk.ask(old), await desk.ask(token)],
            ['failed-precondition', 'failed-precondition'],
          );
        },
      );
    }
  });
};

const unboundToken = async (cluster: RealCluster<ClusterServer>): Promise<string> => {
  const { status } = await cluster.ask({
    method: 'POST',
    path: '/api/v1/namespaces/demo/serviceaccounts/web/token',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [identityAudience], expirationSeconds: 3_600 },
    },
  });
  return String((status as WireObject).token);
};
