import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { anAuthority } from '@gatehouse/dev/certificates';
import { readManifest } from '@gatehouse/dev/demo/story-manifest';
import type { AppliedManifest, StorySource } from '@gatehouse/dev/demo/story-source';
import type { NamedPod } from '@gatehouse/dev/folder/dev-token';
import { readSource } from '@gatehouse/dev/folder/read-source';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import { parseAllDocuments } from 'yaml';

const controlPlane = 'gatehouse';

/**
 * The story's objects on an API server. Nothing else runs in this cluster, so it also does what others do in a whole
 * one: it makes the pods of Deployments (controllers), puts them into the mesh (the injector), gives them loopback
 * addresses and says that they run (kubelet), mounts tokens (kubelet), and makes ServiceAccounts, permissions and an
 * issuer (controllers and `install`).
 */
export class ClusterStorySource implements StorySource {
  readonly what = 'an API server';
  readonly folder = undefined;
  readonly trustAnchors: string;
  readonly #cluster: RealCluster<ClusterServer>;
  readonly #issuer: string;
  readonly #state: StateDir;
  /** The first three bytes of the pods' addresses: another network for every run, which may be several at once. */
  readonly #network = `127.${randomInt(64, 128)}.${randomInt(256)}`;
  readonly #pods = new Map<string, WireObject>();
  readonly #applied = new Map<string, readonly WireObject[]>();

  private constructor(cluster: RealCluster<ClusterServer>, state: StateDir) {
    this.#cluster = cluster;
    this.#state = state;
    this.#issuer = join(state.root, 'issuer');
    this.trustAnchors = join(state.root, 'roots.crt');
  }

  static async open(cluster: RealCluster<ClusterServer>, state: StateDir): Promise<ClusterStorySource> {
    const source = new ClusterStorySource(cluster, state);
    await source.#makeIssuer();
    await source.#makeControlPlane();
    return source;
  }

  settingsOf(service: ServiceName): Readonly<Record<string, string>> {
    return {
      GATEHOUSE_SOURCE: 'kubernetes',
      KUBECONFIG: this.#kubeconfigOf(service),
      GATEHOUSE_TRUST_ANCHORS: this.trustAnchors,
      // An API server takes no loopback address for an EndpointSlice.
      ...(service === 'destination' ? { GATEHOUSE_ENDPOINT_SLICES: 'derived' } : {}),
      ...(service === 'identity'
        ? { GATEHOUSE_ISSUER_DIR: this.#issuer }
        : { GATEHOUSE_TOKEN_FILE: this.#state.tokenFile(controlPlane, accountOf(service)) }),
    };
  }

  async apply(name: string, values?: Readonly<Record<string, string>>): Promise<AppliedManifest> {
    const text = await readManifest(name, values);
    const objects = parseAllDocuments(text).map((document): WireObject => document.toJS());
    this.#applied.set(name, objects);
    const at = Date.now();
    for (const object of objects) {
      await this.#cluster.apply(object);
      if (object.kind === 'Namespace') await this.#makeAccount(nameOf(object).name, 'default');
      if (object.kind === 'Deployment') await this.#makePodOf(object);
    }
    return { text, at };
  }

  async remove(name: string): Promise<number> {
    const at = Date.now();
    for (const object of this.#applied.get(name) ?? []) await this.#cluster.remove(object);
    return at;
  }

  read(): Promise<ResourceIndex> {
    const { client } = this.#cluster;
    const source = new KubernetesSource({ client, log: silentLog, metrics: new Metrics('test') });
    return readSource(source, ['Pod', 'ServiceAccount']);
  }

  tokenOf({ namespace, name }: NamedPod): Promise<string> {
    const pod = this.#pods.get(`${namespace}/${name}`);
    if (pod === undefined) throw new TypeError(`the story has no pod ${namespace}/${name}`);
    return this.#cluster.token(pod, identityAudience);
  }

  async #makeIssuer(): Promise<void> {
    const root = anAuthority({ name: 'root of the story' });
    const issuer = anAuthority({ name: 'issuer of the story', issuedBy: root });
    await mkdir(this.#issuer, { recursive: true });
    await writeFile(this.trustAnchors, root.pem);
    await writeFile(join(this.#issuer, 'tls.crt'), issuer.pem);
    const key = issuer.key.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(join(this.#issuer, 'tls.key'), key, { mode: 0o600 });
  }

  /**
   * Every service is a ServiceAccount of its own, with the permissions of deploy/rbac. Destination and policy prove
   * themselves to identity as workloads do: by a token bound to a pod.
   */
  async #makeControlPlane(): Promise<void> {
    await this.#cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: controlPlane } });
    for (const object of await readDeployedRbac()) await this.#cluster.apply(object);
    for (const service of serviceNames) {
      const account = { namespace: controlPlane, name: accountOf(service) };
      const kubeconfig = await this.#cluster.kubeconfigWith(await this.#cluster.accountToken(account));
      await writeFile(this.#kubeconfigOf(service), kubeconfig, { mode: 0o600 });
    }
    for (const service of ['destination', 'policy'] as const) {
      const account = accountOf(service);
      const spec = { serviceAccountName: account, containers: [{ name: service, image: service }] };
      const metadata = { namespace: controlPlane, name: account };
      await this.#makePod({ metadata, spec });
      const file = this.#state.tokenFile(controlPlane, account);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, await this.tokenOf(metadata), { mode: 0o600 });
    }
  }

  #kubeconfigOf(service: ServiceName): string {
    return join(this.#state.root, `${service}.kubeconfig`);
  }

  async #makeAccount(namespace: string, name: string): Promise<void> {
    await this.#cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
  }

  async #makePodOf(deployment: WireObject): Promise<void> {
    const { name, namespace } = nameOf(deployment);
    const { template } = deployment.spec as { readonly template: WireObject };
    const { labels } = template.metadata as { readonly labels: WireObject };
    await this.#makePod({
      metadata: {
        name: `${name}-0`,
        namespace,
        labels: { ...labels, 'linkerd.io/control-plane-ns': controlPlane },
      },
      spec: { serviceAccountName: 'default', ...(template.spec as WireObject) },
    });
  }

  async #makePod({ metadata, spec }: { metadata: WireObject; spec: WireObject }): Promise<void> {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata };
    const ip = `${this.#network}.${this.#pods.size + 1}`;
    const made = await this.#cluster.apply({ ...pod, spec });
    const { namespace, name } = nameOf(made);
    const status = {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    this.#pods.set(`${namespace}/${name}`, { ...made, status });
    await this.#cluster.setStatus({ ...pod, status });
  }
}

const nameOf = ({ metadata }: WireObject): { readonly namespace: string; readonly name: string } =>
  metadata as { namespace: string; name: string };
