import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually } from '@gatehouse/testing/grpc';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { environmentOf, InjectionCluster, metadataOf, root } from './injection-cluster.ts';
import { webhookCases } from './injection-webhook-cases.ts';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';
import { controlPlane } from './webhook-service.ts';

/** An object of a cluster as it comes out of the API server, through the webhook that policy serves there. */
export const injectionContract = (
  what: string,
  {
    open,
    skip = false,
  }: { readonly open: () => Promise<ClusterWithWebhooks>; readonly skip?: string | boolean },
): void => {
  suite(`injection by ${what}`, { skip, timeout: 300_000 }, () => {
    let injection: InjectionCluster;
    const mesh = (): InjectionCluster => injection;

    before(async () => {
      injection = await InjectionCluster.on(await open());
    });

    after(() => injection?.[Symbol.asyncDispose]());

    podCases(mesh);
    webhookCases(mesh);
  });
};

/** What becomes of pods and Services. */
const podCases = (mesh: () => InjectionCluster): void => {
  test('a pod of a namespace that asks for it gets the proxy, and what its namespace says of proxies', async () => {
    const { status, body } = await mesh().create('demo');
    assert.equal(status, 201, JSON.stringify(body));
    const env = environmentOf(body);
    assert.equal(env.LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS, root);
    assert.equal(env.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, 'all-unauthenticated');
    assert.match(env.LINKERD2_PROXY_LOG ?? '', /^debug,/);
    const { labels = {}, annotations = {} } = metadataOf(body);
    assert.equal(labels['linkerd.io/control-plane-ns'], controlPlane);
    assert.equal(annotations['config.linkerd.io/opaque-ports'], '3306');
    assert.equal(annotations['linkerd.io/created-by'], 'gatehouse/webhook');
  });

  test('elsewhere a pod gets it if it asks for it itself', async () => {
    assert.deepEqual(environmentOf((await mesh().create('plain')).body), {});
    const asking = await mesh().create('plain', { annotations: { 'linkerd.io/inject': 'enabled' } });
    assert.notDeepEqual(environmentOf(asking.body), {});
  });

  test('a pod that a policy selects starts closed, and its proxy watches the ports that the policy names', async () => {
    await mesh().cluster.apply({
      apiVersion: 'policy.linkerd.io/v1alpha1',
      kind: 'NetworkAuthenticationPolicy',
      metadata: { namespace: 'demo', name: 'closed' },
      spec: {
        target: { selector: { matchLabels: { app: 'closed' } } },
        ports: [{ port: 9000 }],
        sources: [],
      },
    });
    await eventually(async () => {
      const { body } = await mesh().create('demo', { labels: { app: 'closed' } });
      const env = environmentOf(body);
      return (
        env.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY === 'deny' &&
        env.LINKERD2_PROXY_INBOUND_PORTS === '8080,9000'
      );
    });
    const open = environmentOf((await mesh().create('demo', { labels: { app: 'open' } })).body);
    assert.equal(open.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, 'all-unauthenticated');
  });

  test('who made a pod is told what became of it, and why nothing did', async () => {
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: 'a-uid', controller: true },
    ];
    const labels = { 'pod-template-hash': 'abc' };
    const { body } = await mesh().create('demo', { ownerReferences, labels });
    assert.equal(metadataOf(body).labels?.['linkerd.io/proxy-deployment'], 'web');
    const skipped = await mesh().create('demo', { ownerReferences, spec: { hostNetwork: true } });
    assert.deepEqual([skipped.status, environmentOf(skipped.body)], [201, {}]);
    await eventually(async () => {
      const events = (await mesh().eventsIn('demo')).filter(
        ({ regarding }) => (regarding as WireObject | undefined)?.name === 'web-abc',
      );
      const told = events.map(({ reason, note }) => `${reason}: ${note}`).sort();
      return (
        told.length === 2 &&
        told[0] === 'Injected: a proxy was added to its pod' &&
        told[1] === 'InjectionSkipped: its pod got no proxy: it is on its host network'
      );
    });
  });

  test('what cannot be injected is refused with annotation, value and fix', async () => {
    const { status, body } = await mesh().create('demo', {
      annotations: { 'config.linkerd.io/proxy-cpu-limit': 'much' },
    });
    assert.equal(status, 403);
    assert.match(
      `${body.message}`,
      /gatehouse cannot inject `pod-\d+`: metadata\.annotations\[config\.linkerd\.io\/proxy-cpu-limit\]: `much` is not a valid quantity: write cores/,
    );
  });

  test('of a dry run nothing is told', async () => {
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'dry', uid: 'dry', controller: true },
    ];
    const { body } = await mesh().create('demo', { ownerReferences }, { dryRun: 'All' });
    assert.notDeepEqual(environmentOf(body), {});
    // An Event of a later pod is there, and none of the earlier.
    const later = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'wet', uid: 'wet', controller: true }];
    await mesh().create('demo', { ownerReferences: later });
    const named = async (name: string): Promise<boolean> =>
      (await mesh().eventsIn('demo')).some(({ regarding }) => (regarding as WireObject).name === name);
    await eventually(() => named('wet'));
    assert.equal(await named('dry'), false);
  });

  test('a Service bears the opaque ports of its namespace', async () => {
    const service = await mesh().cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'demo', name: 'db' },
      spec: { ports: [{ port: 3306 }] },
    });
    assert.equal(metadataOf(service).annotations?.['config.linkerd.io/opaque-ports'], '3306');
  });
};
