import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anAuthority } from '@gatehouse/dev/certificates';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import { issuerSecret } from '../issuer-secret.ts';
import type { Manifest } from '../manifests.ts';
import { mesh } from '../mesh-names.ts';
import type { MeshSource } from '../mesh-source.ts';
import { ClusterApi } from './cluster-api.ts';
import { sliceOf } from './endpoint-slice.ts';

export interface ClusterSourceOptions {
  /** The control plane's namespace. */
  readonly place: string;
  readonly state: StateDir;
  readonly logs: string;
  readonly reviewer: 'token-review' | 'jwks';
}

interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * An API server with the permissions and kinds that we ship, and nothing else: what controllers, the injector, kubelet and
 * `install` do in a whole cluster is done here.
 */
export class ClusterSource implements MeshSource {
  readonly #api: ClusterApi;
  readonly #state: StateDir;
  readonly #reviewer: ClusterSourceOptions['reviewer'];
  readonly #held = new Map<string, readonly Manifest[]>();
  /** As the server has them, with the uid that a token is bound to. */
  readonly #pods = new Map<string, WireObject>();

  private constructor(api: ClusterApi, { state, reviewer }: ClusterSourceOptions) {
    this.#api = api;
    this.#state = state;
    this.#reviewer = reviewer;
  }

  static async open(options: ClusterSourceOptions): Promise<ClusterSource> {
    const { place, state, logs } = options;
    const api = await ClusterApi.start({ place, folder: state.root, logFile: join(logs, 'api-server.log') });
    const source = new ClusterSource(api, options);
    await source.#makeIssuer();
    await source.#makeControlPlane();
    return source;
  }

  settingsOf(service: ServiceName): Readonly<Record<string, string>> {
    return {
      GATEHOUSE_SOURCE: 'kubernetes',
      KUBECONFIG: this.#kubeconfigOf(service),
      GATEHOUSE_TRUST_ANCHORS: this.#state.trustAnchors,
      ...(service === 'identity'
        ? { GATEHOUSE_ISSUER_DIR: this.#issuerDir, GATEHOUSE_TOKEN_REVIEWER: this.#reviewer }
        : { GATEHOUSE_TOKEN_FILE: this.#state.tokenFile(mesh.controlPlaneNamespace, accountOf(service)) }),
    };
  }

  async put(name: string, ...objects: readonly Manifest[]): Promise<void> {
    const wanted = new Set(objects.map(keyOf));
    for (const object of this.#held.get(name) ?? []) {
      if (!wanted.has(keyOf(object))) await this.#delete(object);
    }
    this.#held.set(name, objects);
    for (const object of objects) await this.#make(object);
    await this.#fillSlices(objects);
  }

  async remove(name: string): Promise<void> {
    const objects = this.#held.get(name) ?? [];
    this.#held.delete(name);
    for (const object of objects) await this.#delete(object);
    await this.#fillSlices(objects);
  }

  tokenOf({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<string> {
    const pod = this.#pods.get(`${namespace}/${name}`);
    if (pod === undefined) throw new TypeError(`there is no pod ${namespace}/${name}`);
    return this.#api.podToken(pod, identityAudience);
  }

  async stall(): Promise<void> {
    this.#api.signal('SIGSTOP');
  }

  async resume(): Promise<void> {
    this.#api.signal('SIGCONT');
  }

  async end(): Promise<void> {
    await this.#api.end();
  }

  get #issuerDir(): string {
    return join(this.#state.root, 'issuer');
  }

  #kubeconfigOf(service: ServiceName): string {
    return join(this.#state.root, `${service}.kubeconfig`);
  }

  async #makeIssuer(): Promise<void> {
    const root = anAuthority({ name: 'root of the cluster' });
    await mkdir(this.#issuerDir, { recursive: true, mode: 0o700 });
    await writeFile(this.#state.trustAnchors, root.pem);
    for (const [name, content] of Object.entries(issuerSecret('issuer of the cluster', root))) {
      await writeFile(join(this.#issuerDir, name), content, { mode: 0o600 });
    }
  }

  async #makeControlPlane(): Promise<void> {
    const { controlPlaneNamespace: namespace } = mesh;
    await this.#api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const object of await readDeployedRbac()) await this.#api.apply(object);
    for (const service of ['identity', 'destination', 'policy'] as const) {
      const kubeconfig = await this.#api.kubeconfigOf({ namespace, name: accountOf(service) });
      await writeFile(this.#kubeconfigOf(service), kubeconfig, { mode: 0o600 });
    }
    for (const service of ['destination', 'policy'] as const) {
      const name = accountOf(service);
      const spec = { serviceAccountName: name, containers: [{ name: service, image: service }] };
      await this.#make({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec, status: {} });
      const file = this.#state.tokenFile(namespace, name);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, await this.tokenOf({ namespace, name }), { mode: 0o600 });
    }
  }

  async #make(object: Manifest): Promise<void> {
    const { status, ...desired } = object;
    const { kind, namespace, name } = namedOf(object);
    if (kind !== 'Pod') {
      await this.#api.apply(desired);
      if (kind === 'Namespace') {
        const metadata = { namespace: name, name: 'default' };
        await this.#api.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      }
      return;
    }
    this.#pods.set(`${namespace}/${name}`, await this.#api.apply(injected(desired)));
    await this.#api.setStatus({ apiVersion: 'v1', kind, metadata: { namespace, name }, status });
  }

  async #delete(object: Manifest): Promise<void> {
    const { namespace, name } = namedOf(object);
    this.#pods.delete(`${namespace}/${name}`);
    await this.#api.remove(object);
  }

  /** What the endpoint slice controller does for the Services of the namespaces that something changed in. */
  async #fillSlices(changed: readonly Manifest[]): Promise<void> {
    const named = changed.map(namedOf).filter(({ kind }) => kind === 'Pod' || kind === 'Service');
    const all = [...this.#held.values()].flat();
    for (const namespace of new Set(named.map((one) => one.namespace))) {
      const here = all.filter((object) => namedOf(object).namespace === namespace);
      const pods = here.filter((object) => object.kind === 'Pod');
      for (const service of here.filter((object) => object.kind === 'Service')) {
        await this.#api.apply(sliceOf(service, pods));
      }
    }
  }
}

/** What the injector adds: the label that makes a pod a meshed one. Nobody here asks to be left out in another way. */
const injected = (pod: Manifest): Manifest => {
  const { labels = {}, annotations = {}, ...rest } = pod.metadata as Record<string, Record<string, string>>;
  const isOut = annotations['linkerd.io/inject'] === 'disabled';
  const label = isOut ? {} : { 'linkerd.io/control-plane-ns': mesh.controlPlaneNamespace };
  return { ...pod, metadata: { ...rest, annotations, labels: { ...labels, ...label } } };
};

const namedOf = (object: Manifest): Named => {
  const { namespace = '', name = '' } = object.metadata as Record<string, string | undefined>;
  return { kind: String(object.kind), namespace, name };
};

const keyOf = (object: Manifest): string => Object.values(namedOf(object)).join('/');
