import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { parseHostPort } from '@gatehouse/core/host-port';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { aKey, anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { startServices, stopServices } from '@gatehouse/dev/serve/start-services';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { headlessServiceOf } from '@gatehouse/platform/replicas/open-replicas';
import { accountOf, type RunningService } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { pemOf } from '@gatehouse/platform/tls/material';
import { eventually } from '@gatehouse/testing/grpc';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { runToEnd } from '../../../cli/testing/run-cli.ts';
import { ClusterStorySource } from '../cluster-source.ts';

export interface CheckedItem {
  readonly section: string;
  readonly name: string;
  readonly status: string;
  readonly found: string;
  readonly fix?: string;
  readonly see?: string;
}

/** A mesh in which nothing is wrong: the three services, the webhook's TLS, and one pod with a proxy that is told its policy. */
export interface HealthyCluster {
  readonly fake: FakeApiServer;
  readonly services: readonly RunningService[];
  /** Changes an object where it is; returns what puts it back. */
  change(kind: string, name: string, change: (object: Mutable) => void): () => void;
  /** Removes an object; returns what puts it back. */
  remove(kind: string, name: string): () => void;
  check(...args: readonly string[]): Promise<{
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }>;
  /** What is not ok in `gatehouse check -o json`. */
  troubles(...args: readonly string[]): Promise<readonly CheckedItem[]>;
}

// biome-ignore lint/suspicious/noExplicitAny: a wire object that a test changes where it likes
export type Mutable = any;

const controlPlane = 'gatehouse';

export const aHealthyCluster = async (t: TestContext): Promise<HealthyCluster> => {
  const folder = await temporaryFolder(t);
  const tokens = new Map([['administrator', { username: 'tester', groups: ['system:masters'] }]]);
  const fake = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC', tls: true });
  t.after(() => fake.stop());
  const kubeconfig = join(folder, 'kubeconfig');
  await fake.kubeconfig(kubeconfig, 'administrator');
  const cluster = await RealCluster.on({ kubeconfig, stop: async () => undefined });
  const source = await ClusterStorySource.open(cluster, stateDirAt(join(folder, 'state')));
  await source.apply('demo.yaml');
  const services = await startServices(serviceNames, (service, identity) => ({
    ...source.settingsOf(service),
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_WEBHOOK_ADDR: '',
    GATEHOUSE_LOG_LEVEL: 'error',
    ...(identity === undefined ? {} : { GATEHOUSE_IDENTITY_ADDR: identity.grpc }),
  }));
  t.after(() => stopServices(services, 'the test is over'));
  for (const { admin } of services) await eventually(async () => (await fetch(`${admin}/ready`)).ok);
  const webhook = await aWebhook(t);

  const objects = new Map<string, WireObject>();
  const put = (object: WireObject): void => {
    const { name } = object.metadata as { readonly name: string };
    objects.set(`${object.kind}/${name}`, object);
    fake.put(structuredClone(object));
  };
  for (const running of services) for (const object of inCluster(running, webhook.port)) put(object);
  for (const name of ['frontend-0', 'intruder-0'])
    fake.remove({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'demo', name } });
  const roots = await readFile(source.trustAnchors, 'utf8');
  put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: controlPlane, name: 'gatehouse-trust-roots' },
    data: { 'ca-bundle.crt': roots },
  });
  put({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'gatehouse-injector' },
    webhooks: [
      { name: 'others.injector.gatehouse.dev', clientConfig: { caBundle: webhook.caBundle }, rules: [] },
    ],
  });
  const [pod] = (await cluster.client
    .request({ path: '/api/v1/namespaces/demo/pods/backend-0', signal: AbortSignal.timeout(10_000) })
    .then(({ body }) => [JSON.parse(body.toString())])) as [Mutable];
  pod.spec.initContainers = [
    {
      name: 'linkerd-proxy',
      image: 'i',
      env: [
        { name: 'LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', value: 'deny' },
        { name: 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS', value: roots },
      ],
    },
  ];
  pod.status.startTime = new Date().toISOString();
  pod.status.initContainerStatuses = [{ name: 'linkerd-proxy', ready: true }];
  put({ ...pod, apiVersion: 'v1', kind: 'Pod' });
  put(namespaceDemo);
  await live(t, { source, services, folder });

  const change: HealthyCluster['change'] = (kind, name, apply) => {
    const object = objects.get(`${kind}/${name}`);
    if (object === undefined) throw new TypeError(`the cluster has no ${kind}/${name}`);
    const changed = structuredClone(object);
    apply(changed);
    fake.put(changed);
    return () => void fake.put(structuredClone(object));
  };
  const check = (...args: readonly string[]) =>
    runToEnd(['check', ...args], { workingDirectory: folder, env: { KUBECONFIG: kubeconfig } });
  return {
    fake,
    services,
    change,
    remove: (kind, name) => {
      const object = objects.get(`${kind}/${name}`);
      if (object === undefined) throw new TypeError(`the cluster has no ${kind}/${name}`);
      fake.remove(object);
      return () => void fake.put(structuredClone(object));
    },
    check,
    troubles: async (...args) => {
      const { out, err } = await check('-o', 'json', ...args);
      if (out === '') throw new Error(err);
      const { checks } = JSON.parse(out) as { readonly checks: readonly CheckedItem[] };
      return checks.filter(({ status }) => status !== 'ok');
    },
  };
};

const namespaceDemo: WireObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'demo',
    labels: { 'linkerd.io/inject': 'enabled', 'gatehouse.dev/control-plane-ns': controlPlane },
    annotations: {
      'linkerd.io/inject': 'enabled',
      'config.linkerd.io/default-inbound-policy': 'deny',
    },
  },
};

/** What an installation has of a service, and what controllers and kubelet say of it. */
const inCluster = (running: RunningService, webhookPort: number): readonly WireObject[] => {
  const { service } = running;
  const labels = { 'app.kubernetes.io/name': accountOf(service) };
  const metadata = { namespace: controlPlane };
  const ports = [
    { name: 'admin', containerPort: Number(new URL(running.admin).port) },
    ...(service === 'policy' ? [{ name: 'webhook', containerPort: webhookPort }] : []),
  ];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, name: headlessServiceOf[service] },
      spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'grpc', port: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, name: accountOf(service) },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: {} },
      status: { readyReplicas: 1 },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `${accountOf(service)}-0`, labels },
      spec: { nodeName: 'node-1', containers: [{ name: service, image: 'i', ports }] },
      status: {
        phase: 'Running',
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    },
  ];
};

/** The TLS server that an API server finds behind the webhook's Service. */
const aWebhook = async (t: TestContext): Promise<{ readonly port: number; readonly caBundle: string }> => {
  const authority = anAuthority({ name: 'webhook CA' });
  const { key, chain } = aTlsMaterial(authority, { name: 'gatehouse-webhook.gatehouse.svc' });
  const server = createServer({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.map(pemOf).join(''),
  });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.pem).toString('base64'),
  };
};

interface Live {
  readonly source: ClusterStorySource;
  readonly services: readonly RunningService[];
  readonly folder: string;
}

/** What backend's proxy does: it asks for its certificate, and watches the policy of its port. */
const live = async (t: TestContext, { source, services, folder }: Live): Promise<void> => {
  const address = (name: string) => {
    const parsed = parseHostPort(services.find(({ service }) => service === name)?.grpc ?? '');
    if (!parsed.ok) throw new TypeError(name);
    return parsed.value;
  };
  const trustAnchors = await readFile(source.trustAnchors, 'utf8');
  await writeFile(join(folder, 'roots.pem'), trustAnchors);
  await certify({
    server: { address: address('identity'), security: 'plaintext' },
    trustAnchors,
    name: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
    key: aKey(),
    token: Buffer.from(await source.tokenOf({ namespace: 'demo', name: 'backend-0' })),
    signal: AbortSignal.timeout(20_000),
  });
  const client = new GrpcClient({ address: address('policy'), security: 'plaintext' });
  t.after(() => client.close());
  const told = Promise.withResolvers<void>();
  client.serverStream(
    '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
    PortSpec.encode(
      PortSpec.fromPartial({ workload: '{"ns":"demo","pod":"backend-0"}', port: 8080 }),
    ).finish(),
    {
      onMessage: () => told.resolve(),
      onEnd: (error) => told.reject(error ?? new Error('the watch ended')),
    },
  );
  await told.promise;
};
