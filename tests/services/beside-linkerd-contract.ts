import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { crdKind, installedKinds } from '@gatehouse/manifests/installed-kinds';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { serviceNames } from '@gatehouse/platform/service/service';
import { type Followed, follow } from '@gatehouse/policy/testing/followed-stream';
import { watchPort } from '@gatehouse/policy/testing/watched-port';
import type { AWebhook } from '@gatehouse/testing/api-server/a-webhook';
import { freePort } from '@gatehouse/testing/free-port';
import { eventually } from '@gatehouse/testing/grpc';
import { aRequest, ipOf } from '@gatehouse/testing/inbound-attempt';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { DestinationProfile, GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { runToEnd } from '../../cli/testing/run-cli.ts';
import { InstalledControlPlane } from './installed-control-plane.ts';
import { type MeshedPod, objectsIn, setRunning, startMeshedPod, withoutKubeProxy } from './installed-pods.ts';
import { linkerdKinds, linkerdWebhook, startLinkerdInjector } from './linkerd-stand-in.ts';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';

const claim = 'gatehouse.dev/control-plane-ns';
const meshLabel = 'linkerd.io/control-plane-ns';
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * docs/from-linkerd.md, "Moving, and going back": a cluster of Linkerd's, of which one namespace becomes ours and is given back. The
 * services are real and the webhook is called by the API server; of Linkerd there are its webhook and the labels of its charts.
 */
export const besideLinkerdContract = (
  name: string,
  {
    skip = false,
    open,
  }: { readonly skip?: string | false; readonly open: () => Promise<ClusterWithWebhooks> },
): void => {
  suite(`beside Linkerd on ${name}`, { skip, timeout: 300_000 }, () => {
    let cluster: RealCluster<ClusterServer>;
    let linkerd: AWebhook;
    let installed: InstalledControlPlane;
    let manifests: readonly WireObject[];
    let atFirst: readonly string[];
    let moved: MeshedPod;
    let row: Followed<InboundServer>;
    let port = 0;
    let made = 0;
    const clients: GrpcClient[] = [];

    const gatehouse = (...args: readonly string[]) =>
      runToEnd([...args, '--kubeconfig', cluster.server.kubeconfig]);

    /** A new pod as the API server stored it. */
    const create = (namespace: string, app: string): Promise<WireObject> => {
      made += 1;
      const metadata = { name: `${app}-${made}`, namespace, labels: { app } };
      const containers = [{ name: 'app', image: 'an/image', ports: [{ containerPort: 8080 }] }];
      const body = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        // Named: the plugin that would default it is switched off where a test starts the API server.
        spec: { serviceAccountName: 'default', containers },
      };
      return cluster.ask({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body });
    };
    const meshOf = (pod: WireObject): string | undefined => labelsOf(pod)[meshLabel];
    /** Which mesh the next pod would be of. */
    const nextMesh = async (namespace: string): Promise<string | undefined> => {
      const pod = await create(namespace, 'probe').catch(() => undefined);
      if (pod === undefined) return undefined;
      await cluster.remove(pod);
      return meshOf(pod);
    };
    const label = (path: string, labels: Readonly<Record<string, string | null>>): Promise<WireObject> =>
      cluster.ask({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        body: { metadata: { labels } },
      });

    /** What `gatehouse check` says of Linkerd. */
    const said = async (): Promise<readonly { readonly status: string; readonly found: string }[]> => {
      const { out, err } = await gatehouse('check', '--pre', '-o', 'json');
      assert.equal(err, '');
      return JSON.parse(out).checks.filter(
        (one: { readonly name: string }) => one.name === 'Linkerd in the same cluster',
      );
    };

    /** All that an installation could have made or removed, by name; what is on its way out does not count. */
    const objectsOfCluster = async (): Promise<readonly string[]> => {
      const lists = await Promise.all(
        [...installedKinds, crdKind].map(async ({ apiVersion, kind, plural }) => {
          const path = `${apiVersion === 'v1' ? '/api' : '/apis'}/${apiVersion}/${plural}`;
          const { items } = await cluster.ask({ path });
          return (items as readonly WireObject[])
            .map(({ metadata }) => metadata as WireObject)
            .filter(({ deletionTimestamp }) => deletionTimestamp === undefined)
            .map(({ namespace, name: own }) => `${kind} ${namespace ?? ''}/${own}`);
        }),
      );
      return lists.flat().sort();
    };

    /** What a proxy of ours is told of an address: the identity that it demands there, or none. */
    const identityAt = async (address: string): Promise<string | undefined> => {
      const { address: at, security } = installed.serverFor('destination', moved.env);
      const client = new GrpcClient({ address: at, security: { ...security, certificate: moved.leaf } });
      clients.push(client);
      const asked = follow(client, '/io.linkerd.proxy.destination.Destination/GetProfile', {
        request: GetDestination.encode({ scheme: '', path: address, contextToken: '' }).finish(),
        decode: (bytes) => DestinationProfile.decode(bytes),
      });
      await asked.message(0);
      await eventually(() => asked.messages.at(-1)?.endpoint !== undefined);
      const { endpoint } = asked.messages.at(-1) ?? {};
      asked.cancel();
      const { strategy } = endpoint?.tlsIdentity ?? {};
      return strategy?.$case === 'dnsLikeIdentity' ? strategy.value.name : undefined;
    };

    /** What the proxy of ours does with a request of a pod of Linkerd's: it comes without TLS that it could verify. */
    const verdictOn = (ip: string): string => {
      const server = row.messages.at(-1);
      const traffic = { kind: 'http', ...aRequest() } as const;
      return server === undefined
        ? 'nothing was sent'
        : evaluate(server, { client: ipOf(ip), tls: { kind: 'none' }, traffic }, matchesWhole).kind;
    };
    const becomes = (ip: string, verdict: 'allowed' | 'denied'): Promise<void> =>
      eventually(() => verdictOn(ip) === verdict);

    before(async () => {
      const opened = await open();
      cluster = opened.cluster;
      port = await freePort();
      opened.serveAt?.(`127.0.0.1:${port}`);
      for (const name of linkerdKinds) await label(`${crds}/${name}`, { [meshLabel]: 'linkerd' });
      linkerd = await startLinkerdInjector();
      for (const name of ['linkerd', 'demo', 'shop'])
        await cluster.apply({
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: {
            name,
            labels: name === 'linkerd' ? { [meshLabel]: name } : {},
            annotations: { 'linkerd.io/inject': name === 'linkerd' ? 'disabled' : 'enabled' },
          },
        });
      for (const namespace of ['demo', 'shop'])
        await cluster.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace, name: 'default' },
        });
      await cluster.apply(linkerdWebhook(linkerd));
      await eventually(async () => (await nextMesh('demo')) === 'linkerd');
      await setRunning(cluster, await create('demo', 'backend'), '10.244.1.1');
      await setRunning(cluster, await create('shop', 'web'), '10.244.2.1');
      atFirst = await objectsOfCluster();
    });

    after(async () => {
      for (const client of clients) await client.close();
      await installed?.[Symbol.asyncDispose]();
      await linkerd?.stop();
      await cluster?.[Symbol.asyncDispose]();
    });

    test('install stops until it is told which namespaces are ours', async () => {
      const { code, out, err } = await gatehouse('install');
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /Linkerd's injector is in this cluster.*injector\.namespaces=claimed/);
      assert.match((await said())[0]?.found ?? '', /^a Linkerd control plane runs here too/);
    });

    test('installed for claimed namespaces it takes no pod from Linkerd', async () => {
      const { code, out, err } = await gatehouse(
        'install',
        ...['--set', 'injector.namespaces=claimed', '--set', 'defaultInboundPolicy=all-unauthenticated'],
      );
      assert.equal(code, 0, err);
      manifests = objectsIn(out);
      for (const object of manifests) await cluster.apply(withoutKubeProxy(object, port));
      installed = await InstalledControlPlane.of(cluster, manifests, { webhook: `127.0.0.1:${port}` });
      for (const service of serviceNames) await installed.start(service);
      assert.deepEqual([await nextMesh('demo'), await nextMesh('shop')], ['linkerd', 'linkerd']);
    });

    test('ours applied over Linkerd’s kinds keeps the label by which Linkerd would delete them, and check says so', async () => {
      const [first] = await said();
      assert.equal(first?.status, 'warning');
      assert.match(first.found, /have Linkerd's label: linkerd uninstall deletes these kinds/);
      for (const name of linkerdKinds) await label(`${crds}/${name}`, { [meshLabel]: null });
      assert.deepEqual(
        (await said()).map(({ status }) => status),
        ['ok'],
      );
    });

    test('a claimed namespace gets our proxies, Linkerd leaves them alone, and its other namespaces stay', async () => {
      await label('/api/v1/namespaces/demo', { [claim]: 'gatehouse' });
      await eventually(async () => (await nextMesh('demo')) === 'gatehouse');
      const before = linkerd.asked.length;
      const pod = await create('demo', 'backend');
      // It was asked too, after us, and left the pod as it was.
      assert.ok(linkerd.asked.length > before);
      const { initContainers } = pod.spec as { readonly initContainers: readonly WireObject[] };
      assert.deepEqual(
        initContainers.map((each) => each.name),
        ['linkerd-init', 'linkerd-proxy'],
      );
      moved = await startMeshedPod(cluster, installed, pod, '10.244.1.2');
      assert.equal(moved.name, 'default.demo.serviceaccount.identity.gatehouse.cluster.local');
      assert.equal(await nextMesh('shop'), 'linkerd');
      const stray = await said();
      assert.match(stray[0]?.found ?? '', /^demo\/backend-\d+ still have Linkerd's proxy/);
    });

    test('between the two meshes traffic is plaintext: no identity is demanded, and none is shown', async () => {
      assert.equal(await identityAt('10.244.2.1:8080'), undefined);
      assert.equal(await identityAt('10.244.1.2:8080'), moved.name);
    });

    test('so a pod of Linkerd’s is admitted as anybody is, and by its address, never by its labels', async () => {
      const { address, security } = installed.serverFor('policy', moved.env);
      const client = new GrpcClient({ address, security: { ...security, certificate: moved.leaf } });
      clients.push(client);
      row = watchPort(client, { workload: moved.env.LINKERD2_PROXY_POLICY_WORKLOAD ?? '', port: 8080 });
      await row.message(0);
      await becomes('10.244.2.1', 'allowed');
      const allow = (of: string, source: WireObject): Promise<WireObject> =>
        cluster.apply({
          apiVersion: 'policy.linkerd.io/v1alpha1',
          kind: 'NetworkAuthenticationPolicy',
          metadata: { namespace: 'demo', name: of },
          spec: { target: { selector: { matchLabels: { app: 'backend' } } }, sources: [source] },
        });
      const selector = { namespaceSelector: {}, podSelector: { matchLabels: { app: 'web' } } };
      await allow('by-labels', selector);
      await becomes('10.244.2.1', 'denied');
      await allow('by-address', { networks: [{ cidr: '10.244.2.0/24' }] });
      await becomes('10.244.2.1', 'allowed');
      assert.equal(verdictOn('10.244.3.1'), 'denied');
    });

    test('uninstall refuses while pods have our proxy', async () => {
      const { code, out, err } = await gatehouse('uninstall');
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /1 pod has a proxy of this control plane \(demo\/backend-\d+\)/);
    });

    test('a namespace that is given back gets Linkerd’s proxies again', async () => {
      await label('/api/v1/namespaces/demo', { [claim]: null });
      await eventually(async () => (await nextMesh('demo')) === 'linkerd');
      assert.match((await said())[0]?.found ?? '', /^demo\/backend-\d+ have our proxy in a namespace/);
      for (const { metadata } of await cluster.list('Pod', 'demo'))
        await cluster.remove({ apiVersion: 'v1', kind: 'Pod', metadata });
      await setRunning(cluster, await create('demo', 'backend'), '10.244.1.3');
      assert.deepEqual(
        (await said()).map(({ status }) => status),
        ['ok'],
      );
    });

    test('uninstall leaves what was there before, its kinds and policies included, and nothing else', async () => {
      const { code, out, err } = await gatehouse('uninstall');
      assert.equal(code, 0, err);
      await installed[Symbol.asyncDispose]();
      for (const object of objectsIn(out)) await cluster.remove(object);
      const kept = new Set(
        manifests.flatMap(({ kind, metadata }) =>
          kind === 'CustomResourceDefinition' ? [`${kind} /${(metadata as WireObject).name}`] : [],
        ),
      );
      const now = await objectsOfCluster();
      assert.deepEqual(
        now.filter((each) => !atFirst.includes(each) && !kept.has(each)),
        [],
      );
      assert.deepEqual(
        atFirst.filter((each) => !now.includes(each)),
        [],
      );
      const policies = await cluster.list('NetworkAuthenticationPolicy', 'demo');
      assert.deepEqual(policies.map(({ metadata }) => (metadata as WireObject).name).sort(), [
        'by-address',
        'by-labels',
      ]);
      assert.deepEqual([await nextMesh('demo'), await nextMesh('shop')], ['linkerd', 'linkerd']);
    });

    test('nothing of ours ever has the label by which linkerd uninstall finds what to delete', async () => {
      for (const object of manifests)
        assert.equal(labelsOf(object)[meshLabel], undefined, JSON.stringify(object.metadata));
      const demo = await cluster.ask({ path: '/api/v1/namespaces/demo' });
      assert.equal(labelsOf(demo)[meshLabel], undefined);
    });
  });
};

const labelsOf = ({ metadata }: WireObject): Readonly<Record<string, string | undefined>> =>
  ((metadata as WireObject).labels ?? {}) as Readonly<Record<string, string>>;
