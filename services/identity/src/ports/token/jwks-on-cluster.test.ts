import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  type FakeApiServer,
  type FakeApiServerOptions,
  startFakeApiServer,
} from '@gatehouse/dev/api-server/fake-api-server';
import type { Fault } from '@gatehouse/dev/api-server/faults';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { eventually } from '@gatehouse/testing/grpc';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { aReadyDesk, aReviewDesk, certified } from '../../../testing/review-desk.ts';

const keysPath = '/openid/v1/jwks';

/** A fake cluster with the ServiceAccount demo/web, and a way to its pods' tokens. */
const aCluster = async (t: TestContext, options: FakeApiServerOptions = {}) => {
  const api = await startFakeApiServer({ crds: [], ...options });
  t.after(() => api.stop());
  const kubeconfig = join(await temporaryFolder(t), 'kubeconfig');
  await api.kubeconfig(kubeconfig);
  api.put(
    aWireObject('Namespace', { name: 'demo' }),
    aWireObject('ServiceAccount', { name: 'web', uid: 's1' }),
  );
  const addPod = (name: string): void =>
    void api.put(aWireObject('Pod', { name, uid: `uid-of-${name}`, spec: { serviceAccountName: 'web' } }));
  const tokenOf = (pod: string): Promise<string> =>
    api.mintToken({ namespace: 'demo', serviceAccount: 'web', pod, audiences: [identityAudience] });
  return { api, kubeconfig, addPod, tokenOf };
};

const asked = (api: FakeApiServer, path: string): number =>
  api.requests.filter((request) => request.path === path).length;

const reviewsPath = '/apis/authentication.k8s.io/v1/tokenreviews';

/** The watch of pods stays, and tells nothing any more. */
const silencePods = async (api: FakeApiServer): Promise<void> => {
  const ofPods = () => api.watches.filter(({ request }) => request.type.kind === 'Pod');
  await eventually(() => ofPods().length > 0);
  for (const watch of ofPods()) watch.silence();
};

describe('identity with the reviewer jwks on a cluster', () => {
  it('restarts a whole mesh without asking the API server about any token', async (t) => {
    const { api, kubeconfig, addPod, tokenOf } = await aCluster(t);
    const names = Array.from({ length: 200 }, (_, index) => `web-${index}`);
    for (const name of names) addPod(name);
    const tokens = await Promise.all(names.map(tokenOf));
    const desk = await aReadyDesk(t, kubeconfig, 'jwks');
    const answers = await Promise.all(tokens.map((token) => desk.ask(token)));
    assert.deepEqual(
      answers,
      names.map(() => certified('web')),
    );
    assert.equal(asked(api, reviewsPath), 0);
    assert.equal(asked(api, keysPath), 1);
  });

  it('is not ready before it has keys, pods and ServiceAccounts, and says what it waits for', async (t) => {
    const mayRead = { keys: false, pods: false };
    const { kubeconfig, addPod, tokenOf } = await aCluster(t, {
      authorize: ({ path, resource }) =>
        (path !== keysPath || mayRead.keys) && (resource?.resource !== 'pods' || mayRead.pods),
    });
    addPod('web-0');
    const desk = await aReviewDesk(t, kubeconfig, 'jwks');
    await eventually(async () => (await desk.readiness()).includes('not read yet: Pod'));
    const said = await desk.readiness();
    assert.match(said, /the keys of tokens were not read yet: .*system:service-account-issuer-discovery/);
    assert.equal(await desk.ask(await tokenOf('web-0')), certified('web'), 'the API server could say');
    assert.equal(await desk.reviews('authenticated'), 1);
    mayRead.keys = true;
    mayRead.pods = true;
    desk.pass(10_000);
    assert.equal(
      await desk.ask(await tokenOf('web-0')),
      certified('web'),
      'the next token has the keys read',
    );
    assert.ok(!(await desk.readiness()).includes('keys of tokens'));
    await eventually(async () => (await desk.readiness()) === 'ready');
    const before = await desk.reviews('authenticated');
    assert.equal(await desk.ask(await tokenOf('web-0')), certified('web'));
    assert.equal(await desk.reviews('authenticated'), before);
  });

  it('starts while the API server is away, and is ready once it is back', async (t) => {
    const { api, kubeconfig, addPod, tokenOf } = await aCluster(t);
    addPod('web-0');
    const token = await tokenOf('web-0');
    let ask: (() => Promise<string>) | undefined;
    await api.away(async () => {
      const desk = await aReviewDesk(t, kubeconfig, 'jwks');
      ask = async () => {
        desk.pass(10_000);
        return desk.ask(token);
      };
      assert.match(await desk.readiness(), /the keys of tokens were not read yet: .*cannot be reached/);
      assert.equal(await ask(), 'unavailable');
    });
    await eventually(async () => (await ask?.()) === certified('web'));
  });

  const keyFaults: readonly (readonly [string, Fault])[] = [
    ['is forbidden', { kind: 'status', code: 403 }],
    ['fails', { kind: 'status', code: 500 }],
    ['is asked too much', { kind: 'status', code: 429, retryAfterSeconds: 1 }],
    ['talks nonsense', { kind: 'garbage' }],
    ['breaks off', { kind: 'cut', where: 'line' }],
    ['hangs up', { kind: 'hang-up' }],
  ];
  it('knows 6 ways of an API server not to show its keys', () => assert.equal(keyFaults.length, 6));
  for (const path of [keysPath, '/.well-known/openid-configuration']) {
    for (const [title, fault] of keyFaults) {
      it(`goes on with the keys it has when ${path} ${title}, and leaves new ones to the API server`, async (t) => {
        const { api, kubeconfig, addPod, tokenOf } = await aCluster(t);
        addPod('web-0');
        const old = await tokenOf('web-0');
        const desk = await aReadyDesk(t, kubeconfig, 'jwks');
        await api.rotateTokenKey('kept');
        const token = await tokenOf('web-0');
        desk.pass(10_000);
        // More than once, since what fails on a kept connection is tried again on a new one.
        api.faults.inject(fault, { path, times: 20 });
        assert.equal(await desk.ask(token), certified('web'));
        assert.ok(api.faults.waiting < 20);
        api.faults.clear();
        assert.equal(await desk.reviews('authenticated'), 1);
        assert.equal(await desk.ask(old), certified('web'));
        assert.equal(await desk.readiness(), 'ready');
        desk.pass(10_000);
        assert.equal(await desk.ask(token), certified('web'));
        assert.equal(await desk.reviews('authenticated'), 1, 'once the keys are read nobody is asked');
      });
    }
  }

  it('asks the API server once for a pod that the watch does not show, and remembers a no', async (t) => {
    const { api, kubeconfig, addPod, tokenOf } = await aCluster(t);
    addPod('web-0');
    const desk = await aReadyDesk(t, kubeconfig, 'jwks');
    await silencePods(api);
    addPod('late');
    const late = await tokenOf('late');
    const answers = await Promise.all([desk.ask(late), desk.ask(late), desk.ask(late)]);
    assert.deepEqual(answers, [certified('web'), certified('web'), certified('web')]);
    assert.equal(asked(api, reviewsPath), 1);
    addPod('gone');
    const gone = await tokenOf('gone');
    api.remove(aWireObject('Pod', { name: 'gone' }));
    assert.equal(await desk.ask(gone), 'failed-precondition');
    assert.equal(asked(api, reviewsPath), 2);
    assert.equal(await desk.ask(gone), 'failed-precondition');
    assert.equal(asked(api, reviewsPath), 2, 'within the minute nobody is asked again');
  });

  it('cannot say anything of a pod that the watch does not show while the API server fails', async (t) => {
    const { api, kubeconfig, addPod, tokenOf } = await aCluster(t);
    const desk = await aReadyDesk(t, kubeconfig, 'jwks');
    await silencePods(api);
    addPod('late');
    const token = await tokenOf('late');
    api.faults.inject({ kind: 'status', code: 500 }, { resource: 'tokenreviews' });
    assert.equal(await desk.ask(token), 'unavailable');
    assert.equal(await desk.ask(token), certified('web'), 'and that is not remembered');
  });
});
