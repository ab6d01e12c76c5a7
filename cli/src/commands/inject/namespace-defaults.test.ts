import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { openFakeCluster } from '../../../testing/fake-cluster.ts';
import { type CommandLine, runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

const objectsOf = (text: string): readonly WireObject[] => {
  const loaded = loadYaml(text);
  assert.ok(loaded.ok, text);
  return loaded.value as readonly WireObject[];
};

const defaults = ['inject', '--enable-per-namespace-defaults', '-n', 'demo'];

test('without a cluster the namespace alone is printed, labelled and annotated, and nothing is waited for', async () => {
  const { code, out, err } = await runToEnd([...defaults, '--ignore-cluster']);
  assert.equal(code, exitCode.ok);
  assert.equal(
    out,
    `apiVersion: v1
kind: Namespace
metadata:
  name: demo
  labels:
    linkerd.io/inject: enabled
    gatehouse.dev/control-plane-ns: gatehouse
  annotations:
    linkerd.io/inject: enabled
    config.linkerd.io/default-inbound-policy: deny
`,
  );
  assert.deepEqual(err.split('\n'), ['', 'namespace "demo" annotated', '']);
});

test('a kubeconfig whose cluster does not answer is as good as none, unless it was named', async () => {
  const env = { KUBECONFIG: '/nonexistent/kubeconfig' };
  const silent = await runToEnd(defaults, { env });
  assert.deepEqual([silent.code, objectsOf(silent.out).length], [exitCode.ok, 1]);
  const named = await runToEnd([...defaults, '--kubeconfig', '/nonexistent/kubeconfig']);
  assert.equal(named.code, exitCode.failed);
  assert.match(named.err, /\/nonexistent\/kubeconfig .* there is no such file/);
});

test('an API server that is silent is named, and waited for no longer than it may take', async (t) => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const silent = createServer(() => resolve());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  const kubeconfig = join(await temporaryFolder(t), 'kubeconfig');
  await writeFile(kubeconfig, printKubeconfig({ server: `http://127.0.0.1:${port}` }));
  const late = new AbortController();
  t.mock.method(AbortSignal, 'timeout', () => late.signal);
  const ended = runToEnd([...defaults, '--kubeconfig', kubeconfig]);
  await asked;
  late.abort();
  const { code, err } = await ended;
  assert.deepEqual(
    [code, err],
    [exitCode.failed, `error: http://127.0.0.1:${port} does not answer within 10 s`],
  );
});

test('with a manifest on stdin its workloads are injected, and its Namespace gets the defaults instead of a second one', async () => {
  const input = `apiVersion: v1
kind: Namespace
metadata:
  name: demo
  labels: {team: a}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: demo}
spec: {containers: [{name: a}]}
`;
  const options = ['--ignore-cluster', '--default-inbound-policy', 'all-authenticated', '-'];
  const { out, code } = await runToEnd([...defaults, ...options], { input });
  assert.equal(code, exitCode.ok);
  assert.deepEqual(
    objectsOf(out).map(({ kind, metadata }) => [kind, metadata]),
    [
      [
        'Namespace',
        {
          name: 'demo',
          labels: {
            team: 'a',
            'linkerd.io/inject': 'enabled',
            'gatehouse.dev/control-plane-ns': 'gatehouse',
          },
          annotations: {
            'linkerd.io/inject': 'enabled',
            'config.linkerd.io/default-inbound-policy': 'all-authenticated',
          },
        },
      ],
      ['Pod', { name: 'a', namespace: 'demo', annotations: { 'linkerd.io/inject': 'enabled' } }],
    ],
  );
});

test('which namespace must be said, and never one that is not injected', async () => {
  const unnamed = await runToEnd(['inject', '--enable-per-namespace-defaults', '--ignore-cluster']);
  assert.deepEqual([unnamed.code, unnamed.out], [exitCode.usage, '']);
  assert.match(unnamed.err, /say which, with -n NAMESPACE/);
  for (const name of ['gatehouse', 'kube-system']) {
    const { code, err } = await runToEnd([
      'inject',
      '--enable-per-namespace-defaults',
      '-n',
      name,
      '--ignore-cluster',
    ]);
    assert.equal(code, exitCode.usage);
    assert.match(err, new RegExp(`pods of the namespace ${name} are never injected`));
  }
});

suite('with a cluster', () => {
  let opened: Awaited<ReturnType<typeof openFakeCluster>>;
  const create = async (path: string, body: WireObject): Promise<void> => {
    const { status, body: said } = await opened.cluster.client.request({
      method: 'POST',
      path,
      body,
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(status, 201, said.toString());
  };
  const run = (args: readonly string[], about: CommandLine = {}) =>
    runToEnd([...args, '--kubeconfig', opened.cluster.server.kubeconfig], about);
  const template = (app: string, spec: WireObject = {}): WireObject => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: app, image: 'x' }], ...spec },
  });
  const deployment = (name: string, spec: WireObject = {}): WireObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'demo',
      labels: { app: name },
      annotations: { note: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: { replicas: 3, selector: { matchLabels: { app: name } }, template: template(name, spec) },
  });

  before(async () => {
    opened = await openFakeCluster();
    const metadata = {
      name: 'demo',
      labels: { team: 'shop' },
      annotations: { note: 'kept', 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
    };
    await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
    await create('/apis/apps/v1/namespaces/demo/deployments', deployment('web'));
    await create('/apis/apps/v1/namespaces/demo/deployments', deployment('edge', { hostNetwork: true }));
    await create('/api/v1/namespaces/demo/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bare', namespace: 'demo' },
      spec: { containers: [{ name: 'bare', image: 'x' }] },
    });
    await create('/api/v1/namespaces/demo/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web-1',
        namespace: 'demo',
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true },
        ],
      },
      spec: { containers: [{ name: 'bare', image: 'x' }] },
    });
  });
  after(() => opened.cluster.server.stop());

  test('labels, annotations and workloads that are there stay, and workloads roll', async () => {
    const { code, out, err } = await run(defaults);
    assert.equal(code, exitCode.ok, err);
    const [namespace, edge, web, ...others] = objectsOf(out);
    assert.deepEqual(others, []);
    assert.deepEqual(namespace?.metadata, {
      name: 'demo',
      labels: {
        'kubernetes.io/metadata.name': 'demo',
        team: 'shop',
        'linkerd.io/inject': 'enabled',
        'gatehouse.dev/control-plane-ns': 'gatehouse',
      },
      annotations: {
        note: 'kept',
        'config.linkerd.io/default-inbound-policy': 'deny',
        'linkerd.io/inject': 'enabled',
      },
    });
    const spec = web?.spec as { readonly replicas: number; readonly template: WireObject };
    assert.deepEqual(
      [web?.kind, web?.metadata, spec.replicas],
      [
        'Deployment',
        { name: 'web', namespace: 'demo', labels: { app: 'web' }, annotations: { note: 'kept' } },
        3,
      ],
    );
    assert.deepEqual(spec.template.metadata, {
      labels: { app: 'web' },
      annotations: { 'linkerd.io/inject': 'enabled' },
    });
    assert.match(JSON.stringify(edge), /"hostNetwork":true/);
    assert.doesNotMatch(out, /status:|resourceVersion|managedFields|creationTimestamp/);
    assert.deepEqual(
      err.split('\n').filter((line) => line !== '' && !line.startsWith('note: ')),
      [
        '‼ namespace "demo": its annotation config.linkerd.io/default-inbound-policy was all-unauthenticated and becomes deny',
        'namespace "demo" annotated',
        'deployment "edge" skipped: it is on its host network',
        'deployment "web" injected',
        'pod "bare" skipped: a pod cannot get a proxy once it runs: delete it and create it again',
        '‼ the cluster has no webhook gatehouse-injector: pods get no proxy until `gatehouse install` was applied, or with --manual',
      ],
    );
    assert.match(err, /^note: this is for the cluster https:\S+: give kubectl --kubeconfig \S+ too$/m);
  });

  test('what the cluster runs is printed once, as the given manifest has it', async () => {
    const input = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: demo}
spec: {replicas: 7, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a}]}}}
`;
    const { out } = await run([...defaults, '-'], { input });
    const webs = objectsOf(out).filter(({ metadata }) => (metadata as { name: string }).name === 'web');
    assert.deepEqual(
      webs.map(({ spec }) => (spec as { replicas: number }).replicas),
      [7],
    );
  });

  test('settings and trust anchors of the sidecar are those of the cluster', async () => {
    const manual = ['inject', '--manual', '-'];
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n';
    const without = await run(manual, { input: pod });
    assert.equal(without.code, exitCode.failed);
    assert.match(
      without.err,
      /there is no ConfigMap gatehouse\/gatehouse-trust-roots in the cluster: name them with --trust-anchors/,
    );
    const ca = await readFile(
      fileURLToPath(new URL('../../../testing/injected/ca.crt', import.meta.url)),
      'utf8',
    );
    await create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'gatehouse' },
    });
    const configMap = (name: string, data: WireObject): Promise<void> =>
      create('/api/v1/namespaces/gatehouse/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'gatehouse' },
        data,
      });
    await configMap('gatehouse-trust-roots', { 'ca-bundle.crt': ca });
    await configMap('gatehouse-config', {
      'proxy.json': '{"trustDomain": "shop.example", "proxy": {"version": "v9"}}',
    });
    const { code, out, err } = await run(manual, { input: pod });
    assert.equal(code, exitCode.ok, err);
    assert.match(out, /"cr\.l5d\.io\/linkerd\/proxy:v9"/);
    assert.match(out, /identity\.gatehouse\.shop\.example"/);
    assert.match(out, /-----BEGIN CERTIFICATE-----/);
  });
});
