import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { untilReady } from '@gatehouse/dev/serve/until-ready';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import type { Variable } from '@gatehouse/manifests/objects/environment';
import {
  accountOf,
  type RunningService,
  type ServiceName,
  serviceNames,
} from '@gatehouse/platform/service/service';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';
import { portOf } from '@gatehouse/testing/grpc';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { RecordingLog } from '@gatehouse/testing/recording-log';

interface PodTemplate {
  readonly metadata: WireObject;
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [{ readonly env: readonly Variable[] }];
  };
}

/**
 * The services as `gatehouse install` would have them run: started with the environment of their Deployments, the files of its
 * ConfigMap and Secret, and its ServiceAccounts' tokens. The objects are in the cluster already.
 */
export class InstalledControlPlane implements AsyncDisposable {
  readonly log = new RecordingLog();
  readonly #cluster: RealCluster<ClusterServer>;
  readonly #objects: readonly WireObject[];
  readonly #folder: string;
  readonly #webhook: string;
  readonly #running = new Map<ServiceName, RunningService>();

  private constructor(
    cluster: RealCluster<ClusterServer>,
    { objects, folder, webhook }: { objects: readonly WireObject[]; folder: string; webhook: string },
  ) {
    this.#cluster = cluster;
    this.#objects = objects;
    this.#folder = folder;
    this.#webhook = webhook;
  }

  /** Nothing runs yet. `webhook` is where policy will serve admission reviews, a free port unless it is said. */
  static async of(
    cluster: RealCluster<ClusterServer>,
    objects: readonly WireObject[],
    { webhook = '127.0.0.1:0' }: { readonly webhook?: string } = {},
  ): Promise<InstalledControlPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-installed-'));
    const installed = new InstalledControlPlane(cluster, { objects, folder, webhook });
    await installed.#mount('ConfigMap', 'gatehouse-trust-roots');
    await installed.#mount('Secret', 'gatehouse-issuer');
    return installed;
  }

  /** Resolves once the service is ready. Identity comes first: the others get their certificates from it. */
  async start(service: ServiceName): Promise<RunningService> {
    const started = await this.#start(service);
    this.#running.set(service, started);
    assert.deepEqual(await untilReady([started], AbortSignal.timeout(60_000)), []);
    return started;
  }

  /** A server as a proxy with this environment knows it, but for the address that DNS would say. */
  serverFor(service: 'identity' | 'destination' | 'policy', env: Readonly<Record<string, string>>) {
    return {
      address: { host: '127.0.0.1', port: portOf({ address: this.#running.get(service)?.grpc ?? '' }) },
      security: {
        serverName: env[`LINKERD2_PROXY_${service.toUpperCase()}_SVC_NAME`] ?? '',
        trustAnchors: env.LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS ?? '',
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of serviceNames.toReversed())
      await this.#running.get(service)?.stop('the test is over');
    this.#running.clear();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(service: ServiceName): Promise<RunningService> {
    const env = await this.#environmentOf(service);
    const { log } = this;
    switch (service) {
      case 'identity':
        return startIdentity(readIdentityConfig(env), { log });
      case 'destination':
        return startDestination(readDestinationConfig(env), { log });
      case 'policy':
        return startPolicy(readPolicyConfig(env), { log });
    }
  }

  /** What differs from a pod: where files are, where identity is found, and that ports are free ones. */
  async #environmentOf(service: ServiceName): Promise<Record<string, string>> {
    const account = accountOf(service);
    const deployment = this.#find('Deployment', account);
    const { namespace } = deployment.metadata as { readonly namespace: string };
    const { template } = deployment.spec as { readonly template: PodTemplate };
    const [{ env }] = template.spec.containers;
    const metadata = { ...template.metadata, name: `${account}-0`, namespace };
    const pod = await this.#cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec });
    const file = (end: string): string => join(this.#folder, `${service}.${end}`);
    await writeFile(file('token'), await this.#cluster.token(pod, identityAudience));
    const own = await this.#cluster.accountToken({ namespace, name: account });
    await writeFile(file('kubeconfig'), await this.#cluster.kubeconfigWith(own));
    const written = env.flatMap((one) => ('value' in one ? [[one.name, one.value]] : []));
    return {
      ...Object.fromEntries(written),
      GATEHOUSE_POD_NAME: metadata.name,
      KUBECONFIG: file('kubeconfig'),
      GATEHOUSE_TRUST_ANCHORS: join(this.#folder, 'ca-bundle.crt'),
      GATEHOUSE_ISSUER_DIR: this.#folder,
      GATEHOUSE_TOKEN_FILE: file('token'),
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
      GATEHOUSE_WEBHOOK_ADDR: this.#webhook,
      ...(service === 'identity'
        ? {}
        : { GATEHOUSE_IDENTITY_ADDR: this.#running.get('identity')?.grpc ?? '' }),
    };
  }

  /** What kubelet mounts: each key of the data is a file. */
  async #mount(kind: 'ConfigMap' | 'Secret', name: string): Promise<void> {
    for (const [file, text] of Object.entries(this.#find(kind, name).data as Record<string, string>))
      await writeFile(join(this.#folder, file), kind === 'Secret' ? Buffer.from(text, 'base64') : text);
  }

  #find(kind: string, name: string): WireObject {
    const found = this.#objects.find(
      (object) => object.kind === kind && (object.metadata as WireObject).name === name,
    );
    assert.ok(found, `${kind} ${name}`);
    return found;
  }
}
