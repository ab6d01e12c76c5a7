import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import type { Source } from '@gatehouse/platform/kube/source';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';

const controlPlane = 'gatehouse';
const day = 86_400_000;

interface Opened {
  readonly cluster: RealCluster<ClusterServer>;
  /** Told where the webhook's Service is, where the API server cannot look it up. */
  readonly serveAt?: (address: string) => void;
}

type Metadata = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

const metadataOf = (object: WireObject | undefined): Metadata => (object?.metadata ?? {}) as Metadata;

const container = (name: string, more: WireObject = {}): WireObject => ({ name, image: 'an/image', ...more });

/** An object of a cluster as it comes out of the API server, through the webhook that policy serves there. */
export const injectionContract = (
  what: string,
  { open, skip = false }: { readonly open: () => Promise<Opened>; readonly skip?: string | boolean },
): void => {
  suite(`injection by ${what}`, { skip, timeout: 300_000 }, () => {
    let opened: Opened;
    let folder: string;
    const running: RunningService[] = [];
    const foreign = anAuthority({ name: 'of another controller' }).pem;
    const root = anAuthority({ name: 'root of the mesh' }).pem;

    const start = async (parts: ServiceParts = {}): Promise<RunningService> => {
      const service = await startPolicy(
        readPolicyConfig({
          GATEHOUSE_SOURCE: 'kubernetes',
          KUBECONFIG: join(folder, 'kubeconfig'),
          GATEHOUSE_TRUST_ANCHORS: join(folder, 'ca.crt'),
          GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
          GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
          GATEHOUSE_WEBHOOK_ADDR: '127.0.0.1:0',
        }),
        { log: silentLog, ...parts },
      );
      running.push(service);
      return service;
    };

    const ask = (path: string) => opened.cluster.ask({ path });
    const secretPath = `/api/v1/namespaces/${controlPlane}/secrets/gatehouse-webhook-tls`;
    const configPath =
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gatehouse-injector';
    const read = (path: string): Promise<WireObject | undefined> => ask(path).catch(() => undefined);
    const secretText = async (key: string): Promise<string> => {
      const secret = await read(secretPath);
      return Buffer.from(`${((secret?.data ?? {}) as WireObject)[key] ?? ''}`, 'base64').toString();
    };
    const bundles = async (): Promise<readonly string[]> => {
      const config = await ask(configPath);
      return (config.webhooks as readonly { readonly clientConfig: WireObject }[]).map(({ clientConfig }) =>
        Buffer.from(`${clientConfig.caBundle ?? ''}`, 'base64').toString(),
      );
    };
    const isTrusted = async (): Promise<boolean> => {
      const ca = (await secretText('ca.crt')).trim();
      return ca !== '' && (await bundles()).every((bundle) => bundle.includes(ca));
    };

    let made = 0;
    /** Creates a pod; returns it as it was stored, or what the API server said. */
    const create = async (
      namespace: string,
      { annotations = {}, labels = {}, spec = {}, ownerReferences }: WireObject = {},
      query: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly status: number; readonly body: WireObject }> => {
      made += 1;
      const metadata = {
        name: `pod-${made}`,
        namespace,
        annotations,
        labels,
        ...(ownerReferences === undefined ? {} : { ownerReferences }),
      };
      const { status, body } = await opened.cluster.client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/pods`,
        query,
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata,
          spec: {
            // Named: the plugin that would default it is switched off where a test starts the API server.
            serviceAccountName: 'default',
            containers: [container('app', { ports: [{ containerPort: 8080 }] })],
            ...(spec as object),
          },
        },
        signal: AbortSignal.timeout(20_000),
      });
      return { status, body: JSON.parse(body.toString()) };
    };
    const environmentOf = (pod: WireObject): Readonly<Record<string, string>> => {
      const { initContainers = [] } = pod.spec as { readonly initContainers?: readonly WireObject[] };
      const proxy = initContainers.find(({ name }) => name === 'linkerd-proxy');
      const env = (proxy?.env ?? []) as readonly { readonly name: string; readonly value?: string }[];
      return Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
    };
    const eventsIn = async (namespace: string): Promise<readonly WireObject[]> =>
      (await ask(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).items as readonly WireObject[];

    before(async () => {
      opened = await open();
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-injection-'));
      const { cluster } = opened;
      const namespace = (
        name: string,
        annotations: WireObject = {},
        labels: WireObject = {},
      ): WireObject => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, annotations, labels },
      });
      await cluster.apply(namespace(controlPlane));
      const enabled = { 'linkerd.io/inject': 'enabled' };
      const settings = {
        'config.linkerd.io/opaque-ports': '3306',
        'config.linkerd.io/proxy-log-level': 'debug',
      };
      await cluster.apply(namespace('demo', { ...enabled, ...settings }, enabled));
      await cluster.apply(namespace('plain'));
      for (const name of ['demo', 'plain'])
        await cluster.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace: name, name: 'default' },
        });
      for (const object of await readDeployedRbac()) await cluster.apply(object);
      const configMap = (name: string, data: WireObject): WireObject => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: controlPlane, name },
        data,
      });
      const settingsOfMesh = { defaultInboundPolicy: 'all-unauthenticated' };
      await cluster.apply(configMap('gatehouse-config', { 'proxy.json': JSON.stringify(settingsOfMesh) }));
      await cluster.apply(configMap('gatehouse-trust-roots', { 'ca-bundle.crt': root }));
      await writeFile(join(folder, 'ca.crt'), root);
      const token = await cluster.accountToken({ namespace: controlPlane, name: 'gatehouse-policy' });
      await writeFile(join(folder, 'kubeconfig'), await cluster.kubeconfigWith(token));

      const first = await start();
      const port = Number(new URL(first.webhook ?? '').port);
      opened.serveAt?.(`127.0.0.1:${port}`);
      // There is no kube-proxy: the API server calls a Service of this type by its name.
      await cluster.apply({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: controlPlane, name: 'gatehouse-webhook' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      });
      const webhook = (
        name: string,
        failurePolicy: string,
        operator: string,
        bundle: WireObject,
      ): WireObject => ({
        name,
        admissionReviewVersions: ['v1'],
        sideEffects: 'NoneOnDryRun',
        failurePolicy,
        timeoutSeconds: 5,
        clientConfig: {
          service: { namespace: controlPlane, name: 'gatehouse-webhook', port, path: '/inject' },
          ...bundle,
        },
        namespaceSelector: {
          matchExpressions: [{ key: 'linkerd.io/inject', operator, values: ['enabled'] }],
        },
        rules: [
          { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods', 'services'] },
        ],
      });
      await cluster.apply({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'gatehouse-injector' },
        webhooks: [
          webhook('enabled.injector.gatehouse.dev', 'Fail', 'In', {}),
          webhook('others.injector.gatehouse.dev', 'Ignore', 'NotIn', {
            caBundle: Buffer.from(foreign).toString('base64'),
          }),
        ],
      });
      await eventually(isTrusted);
      // The API server takes a changed configuration a moment later.
      await eventually(async () => (await create('demo')).status === 201);
    });

    after(async () => {
      for (const service of running) await service.stop('the test is over');
      await opened.cluster[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    test('a pod of a namespace that asks for it gets the proxy, and what its namespace says of proxies', async () => {
      const { status, body } = await create('demo');
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
      assert.deepEqual(environmentOf((await create('plain')).body), {});
      const asking = await create('plain', { annotations: { 'linkerd.io/inject': 'enabled' } });
      assert.notDeepEqual(environmentOf(asking.body), {});
    });

    test('a pod that a policy selects starts closed, and its proxy watches the ports that the policy names', async () => {
      await opened.cluster.apply({
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
        const { body } = await create('demo', { labels: { app: 'closed' } });
        const env = environmentOf(body);
        return (
          env.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY === 'deny' &&
          env.LINKERD2_PROXY_INBOUND_PORTS === '8080,9000'
        );
      });
      const open = environmentOf((await create('demo', { labels: { app: 'open' } })).body);
      assert.equal(open.LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, 'all-unauthenticated');
    });

    test('who made a pod is told what became of it, and why nothing did', async () => {
      const ownerReferences = [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-abc', uid: 'a-uid', controller: true },
      ];
      const labels = { 'pod-template-hash': 'abc' };
      const { body } = await create('demo', { ownerReferences, labels });
      assert.equal(metadataOf(body).labels?.['linkerd.io/proxy-deployment'], 'web');
      const skipped = await create('demo', { ownerReferences, spec: { hostNetwork: true } });
      assert.deepEqual([skipped.status, environmentOf(skipped.body)], [201, {}]);
      await eventually(async () => {
        const events = (await eventsIn('demo')).filter(
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
      const { status, body } = await create('demo', {
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
      const { body } = await create('demo', { ownerReferences }, { dryRun: 'All' });
      assert.notDeepEqual(environmentOf(body), {});
      // An Event of a later pod is there, and none of the earlier.
      const later = [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'wet', uid: 'wet', controller: true },
      ];
      await create('demo', { ownerReferences: later });
      const named = async (name: string): Promise<boolean> =>
        (await eventsIn('demo')).some(({ regarding }) => (regarding as WireObject).name === name);
      await eventually(() => named('wet'));
      assert.equal(await named('dry'), false);
    });

    test('a Service bears the opaque ports of its namespace', async () => {
      const service = await opened.cluster.apply({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'demo', name: 'db' },
        spec: { ports: [{ port: 3306 }] },
      });
      assert.equal(metadataOf(service).annotations?.['config.linkerd.io/opaque-ports'], '3306');
    });

    test('the CA stands beside what was in a bundle, and a bundle that was reset gets it again', async () => {
      const [own, others] = await bundles();
      const ca = (await secretText('ca.crt')).trim();
      assert.equal(own?.trim(), ca);
      assert.ok(others?.includes(foreign.trim()) && others.includes(ca));
      await opened.cluster.ask({
        method: 'PATCH',
        path: configPath,
        contentType: 'application/json-patch+json',
        body: [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }],
      });
      await eventually(isTrusted);
    });

    test('a proxy starts closed while the policies are not known yet', async () => {
      const [{ stop } = { stop: async () => {} }] = running.splice(0);
      await stop('another takes its place, whose lists never come');
      const waiting = await start({ source: silentSource });
      const certificate = new X509Certificate(await secretText('tls.crt')).fingerprint256;
      await eventually(async () => (await certificateAt(waiting.webhook ?? '')) === certificate);
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: aRequest };
      const decided = async (): Promise<string> => {
        const { body } = await post(`${waiting.webhook}/inject`, JSON.stringify(review), 'application/json');
        const { patch = '' } = (body.response ?? {}) as { readonly patch?: string };
        return Buffer.from(patch, 'base64').toString();
      };
      await eventually(async () =>
        (await decided()).includes('{"name":"LINKERD2_PROXY_INBOUND_DEFAULT_POLICY","value":"deny"}'),
      );
    });

    test('a Secret that is lost is made again, for all replicas', async () => {
      await start();
      const before = await secretText('tls.crt');
      await opened.cluster.ask({ method: 'DELETE', path: secretPath });
      await eventually(async () => ![before, ''].includes(await secretText('tls.crt')));
      await eventually(isTrusted);
      const now = new X509Certificate(await secretText('tls.crt')).fingerprint256;
      for (const { webhook = '' } of running)
        await eventually(async () => (await certificateAt(webhook)) === now);
    });

    test('a certificate is renewed before it ends, and the old CA is trusted until it does', async () => {
      for (const service of running.splice(0)) await service.stop('its clock is of today');
      const old = await secretText('ca.crt');
      await start({ now: () => Date.now() + 300 * day });
      await eventually(async () => ![old, ''].includes(await secretText('ca.crt')));
      await eventually(isTrusted);
      assert.ok((await bundles()).every((bundle) => bundle.includes(old.trim())));
    });

    test('a request that is no review gets a Status that says what is wrong', async () => {
      const [{ webhook = '' } = { webhook: '' }] = running;
      const json = 'application/json';
      const cases: readonly (readonly [
        path: string,
        body: string,
        type: string,
        code: number,
        message: RegExp,
      ])[] = [
        ['/inject', '{', json, 400, /not valid JSON/i],
        ['/inject', '[]', json, 400, /the body is not an AdmissionReview/],
        [
          '/inject',
          '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
          json,
          400,
          /request\.uid: is not text/,
        ],
        ['/inject', 'a: b', 'application/yaml', 415, /unsupported media type/i],
        ['/inject', `"${'x'.repeat(9 * 1024 * 1024)}"`, json, 413, /too large/i],
        ['/nowhere', '{}', json, 404, /no webhook is at POST \/nowhere: POST to \/inject, \/validate/],
      ];
      assert.equal(cases.length, 6);
      for (const [path, body, type, code, message] of cases) {
        const answer = await post(`${webhook}${path}`, body, type);
        assert.equal(answer.code, code, path);
        assert.equal(answer.body.kind, 'Status');
        assert.match(`${answer.body.message}`, message);
      }
      const odd = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: oddRequest };
      const answer = await post(`${webhook}/inject`, JSON.stringify(odd), json);
      assert.deepEqual([answer.code, (answer.body.response as WireObject).allowed], [200, false]);
    });
  });
};

/** A cluster whose lists never come. */
const silentSource: Source = {
  run: (_kinds, _deliver, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  health: () => [],
};

/** A pod that no API server lets through. */
const oddRequest = {
  uid: 'u',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  operation: 'CREATE',
  namespace: 'demo',
  object: { metadata: 7, spec: { containers: 'none', hostNetwork: [] } },
};

/** A pod of the namespace that asks for injection. */
const aRequest = {
  ...oddRequest,
  object: { metadata: { name: 'p' }, spec: { serviceAccountName: 'default', containers: [{ name: 'app' }] } },
};

const certificateAt = (url: string): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
    resolve((response.socket as import('node:tls').TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '');
    response.resume();
  });
  request.on('error', reject);
  request.end();
  return promise.catch(() => '');
};

const post = (
  url: string,
  body: string,
  type: string,
): Promise<{ readonly code: number; readonly body: WireObject }> => {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; body: WireObject }>();
  const headers = { 'content-type': type };
  const options = { method: 'POST', rejectUnauthorized: false, agent: false, headers };
  const request = httpsRequest(url, options, async (response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    resolve({ code: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
  });
  // A server that has answered may close before all of a long body was sent.
  request.on('error', reject);
  request.end(body);
  return promise;
};
