import { anAuthority } from '@gatehouse/dev/certificates';
import { eventually } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';
import { controlPlane, WebhookService } from './webhook-service.ts';

export const secretPath = `/api/v1/namespaces/${controlPlane}/secrets/gatehouse-webhook-tls`;
export const configPath =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/gatehouse-injector';

/** A CA that another controller wrote into the bundle of one webhook. */
export const foreign = anAuthority({ name: 'of another controller' }).pem;
export const root = anAuthority({ name: 'root of the mesh' }).pem;

type Metadata = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

export const metadataOf = (object: WireObject | undefined): Metadata => (object?.metadata ?? {}) as Metadata;

/** The environment of a pod's proxy; empty where it has none. */
export const environmentOf = (pod: WireObject): Readonly<Record<string, string>> => {
  const { initContainers = [] } = pod.spec as { readonly initContainers?: readonly WireObject[] };
  const proxy = initContainers.find(({ name }) => name === 'linkerd-proxy');
  const env = (proxy?.env ?? []) as readonly { readonly name: string; readonly value?: string }[];
  return Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
};

/** A cluster with a namespace that asks for injection, `demo`, and one that does not, `plain`. */
export class InjectionCluster implements AsyncDisposable {
  readonly cluster: RealCluster<ClusterServer>;
  readonly #service: WebhookService;
  #made = 0;

  private constructor(service: WebhookService) {
    this.cluster = service.cluster;
    this.#service = service;
  }

  /** Returns once a pod of `demo` is injected. */
  static async on(opened: ClusterWithWebhooks): Promise<InjectionCluster> {
    await using begun = new AsyncDisposableStack();
    const service = begun.use(await WebhookService.on(opened, { objects, root }));
    const injection = new InjectionCluster(service);
    await injection.cluster.apply(configurationAt(await service.startCalled()));
    await eventually(() => injection.isTrusted());
    // The API server takes a changed configuration a moment later.
    await eventually(async () => (await injection.create('demo')).status === 201);
    begun.move();
    return injection;
  }

  get running(): WebhookService['running'] {
    return this.#service.running;
  }

  start(parts: Parameters<WebhookService['start']>[0] = {}): ReturnType<WebhookService['start']> {
    return this.#service.start(parts);
  }

  async secretText(key: string): Promise<string> {
    const secret = await this.cluster.ask({ path: secretPath }).catch(() => undefined);
    return Buffer.from(`${((secret?.data ?? {}) as WireObject)[key] ?? ''}`, 'base64').toString();
  }

  async bundles(): Promise<readonly string[]> {
    const config = await this.cluster.ask({ path: configPath });
    return (config.webhooks as readonly { readonly clientConfig: WireObject }[]).map(({ clientConfig }) =>
      Buffer.from(`${clientConfig.caBundle ?? ''}`, 'base64').toString(),
    );
  }

  async isTrusted(): Promise<boolean> {
    const ca = (await this.secretText('ca.crt')).trim();
    return ca !== '' && (await this.bundles()).every((bundle) => bundle.includes(ca));
  }

  /** Creates a pod; returns it as it was stored, or what the API server said. */
  async create(
    namespace: string,
    { annotations = {}, labels = {}, spec = {}, ownerReferences }: WireObject = {},
    query: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly body: WireObject }> {
    this.#made += 1;
    const metadata = {
      name: `pod-${this.#made}`,
      namespace,
      annotations,
      labels,
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    };
    const { status, body } = await this.cluster.client.request({
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
          containers: [{ name: 'app', image: 'an/image', ports: [{ containerPort: 8080 }] }],
          ...(spec as object),
        },
      },
      signal: AbortSignal.timeout(20_000),
    });
    return { status, body: JSON.parse(body.toString()) };
  }

  async eventsIn(namespace: string): Promise<readonly WireObject[]> {
    const { items } = await this.cluster.ask({
      path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
    });
    return items as readonly WireObject[];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#service[Symbol.asyncDispose]();
  }
}

const namespace = (name: string, annotations: WireObject = {}, labels: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations, labels },
});

const account = (of: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: of, name: 'default' },
});

const configMap = (name: string, data: WireObject): WireObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: controlPlane, name },
  data,
});

const enabled = { 'linkerd.io/inject': 'enabled' };
const settings = {
  'config.linkerd.io/opaque-ports': '3306',
  'config.linkerd.io/proxy-log-level': 'debug',
};

const objects: readonly WireObject[] = [
  namespace(controlPlane),
  namespace('demo', { ...enabled, ...settings }, enabled),
  namespace('plain'),
  account('demo'),
  account('plain'),
  configMap('gatehouse-config', {
    'proxy.json': JSON.stringify({ defaultInboundPolicy: 'all-unauthenticated' }),
  }),
  // With a line that is no business of a pod.
  configMap('gatehouse-trust-roots', { 'ca-bundle.crt': `# the roots\n${root}` }),
];

/** Two webhooks of policy at this port: one for namespaces that ask for injection, one for the others. */
const configurationAt = (port: number): WireObject => {
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
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'gatehouse-injector' },
    webhooks: [
      webhook('enabled.injector.gatehouse.dev', 'Fail', 'In', {}),
      webhook('others.injector.gatehouse.dev', 'Ignore', 'NotIn', {
        caBundle: Buffer.from(foreign).toString('base64'),
      }),
    ],
  };
};
