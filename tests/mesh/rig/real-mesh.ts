import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { makeStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import type { ServedTls } from '../agent/messages.ts';
import { Agent } from './agent.ts';
import { ClusterSource } from './cluster/cluster-source.ts';
import { ControlPlane, serviceNames } from './control-plane.ts';
import { FolderSource } from './folder-source.ts';
import { type Manifest, Manifests } from './manifests.ts';
import { mesh } from './mesh-names.ts';
import type { MeshSource } from './mesh-source.ts';
import { Network, type PlaceOptions } from './network.ts';
import { Pod } from './pod.ts';
import { podManifest } from './pod-manifest.ts';
import { prepareRealProxy } from './real-proxy.ts';
import { isLeftover, runPrefix } from './run-name.ts';

/** What the services read from: a folder in dev mode, or an API server, of which identity asks about tokens in either way. */
export type SourceKind = 'folder' | 'cluster with token-review' | 'cluster with jwks';

export interface RealMeshOptions {
  readonly sourceKind: SourceKind;
  /** Tells it from others that the same process has. */
  readonly name: string;
  /** The unmodified proxy. */
  readonly binary: string;
  /** Ours: it is part of the names of all that is made. */
  readonly pid: number;
}

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  /** Container ports, by name. */
  readonly ports?: Readonly<Record<string, number>>;
  /** A readiness probe by HTTP. */
  readonly probe?: { readonly port: number; readonly path: string };
  readonly meshed?: boolean;
  /** Addresses besides its own that its proxy answers for; `lend` brings them there. */
  readonly moreAddresses?: readonly string[];
  /** What its addresses end with. Default: the next free number. */
  readonly host?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The roots that its proxy knows, in PEM, for all its life; the mesh's own when left out. */
  readonly trustAnchors?: string;
  /** With it the application also ends TLS of its own. */
  readonly tls?: ServedTls;
  /** The ports whose HTTP/2 is gRPC. */
  readonly grpc?: readonly number[];
}

const controlPlaneAddress = '10.99.0.10';
const firstHost = 20;

/** A mesh as in production, but for the machine: real proxies, our services over TLS, and no way out. */
export class RealMesh {
  readonly source: MeshSource;
  readonly controlPlane: ControlPlane;
  readonly state: StateDir;
  /** Where everybody's log is. */
  readonly logs: string;
  readonly binary: string;
  readonly #network: Network;
  readonly #root: string;
  readonly #pods = new Set<Pod>();
  #hosts = firstHost;

  private constructor(parts: RealMeshParts) {
    const { root, network, binary, state, source, controlPlanePlace: place } = parts;
    this.#root = root;
    this.#network = network;
    this.binary = binary;
    this.state = state;
    this.source = source;
    this.logs = join(root, 'logs');
    this.controlPlane = new ControlPlane({
      place,
      address: controlPlaneAddress,
      stateRoot: state.root,
      logs: this.logs,
      settingsOf: (service) => source.settingsOf(service),
    });
  }

  static async start({ name, sourceKind, binary, pid }: RealMeshOptions): Promise<RealMesh> {
    await removeLeftoverFolders();
    const root = await mkdtemp(join(tmpdir(), runPrefix(pid)));
    // The proxies, which are another user, must get through to their own folders.
    await chmod(root, 0o711);
    for (const folder of ['logs', 'manifests', 'pods']) await mkdir(join(root, folder), { mode: 0o711 });
    const state = await makeStateDir(join(root, 'state'));
    const network = new Network({ pid, mesh: name });
    const addresses = [`${controlPlaneAddress}/16`];
    const place = network.add('control-plane', { addresses, redirect: false });
    const source = await openMeshSource(sourceKind, { place, state, root }).catch((error: Error) => {
      network.removeAll();
      throw error;
    });
    const real = new RealMesh({ root, state, source, network, binary, controlPlanePlace: place });
    try {
      for (const service of serviceNames) real.controlPlane.start(service);
      await Promise.all(serviceNames.map((service) => real.controlPlane.untilReady(service)));
      return real;
    } catch (error) {
      await real.end('keep-logs');
      throw error;
    }
  }

  /** Puts objects under a name, in place of those that were there. */
  async put(name: string, ...objects: readonly Manifest[]): Promise<void> {
    await this.source.put(name, ...objects);
  }

  async remove(name: string): Promise<void> {
    await this.source.remove(name);
  }

  /** Declares a namespace of meshed pods. */
  async namespace(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.put(`namespace-${name}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, annotations: { 'linkerd.io/inject': 'enabled', ...annotations } },
    });
  }

  /** Declares a pod and runs it: ready when this resolves. */
  async pod(options: PodOptions): Promise<Pod> {
    const { namespace, name, serviceAccount = 'default', ports = {}, meshed = true } = options;
    if (options.host === undefined) this.#hosts += 1;
    const host = options.host ?? this.#hosts;
    const addresses = [
      `10.99.${1 + Math.floor(host / 256)}.${host % 256}`,
      `fd00:99::${host.toString(16)}`,
    ] as const;
    const place = this.#network.add(`${namespace}-${name}`, {
      addresses: [`${addresses[0]}/16`, `${addresses[1]}/64`],
      redirect: meshed,
    });
    const hand = new Agent(place, join(this.logs, `${namespace}-${name}.hand.log`));
    const numbers = Object.values(ports);
    const declare = (ready: boolean): Promise<void> =>
      this.put(`pod-${namespace}-${name}`, podManifest({ ...options, ready }, addresses));
    // Nobody is sent to a pod before its proxy is ready, as kubelet's probe sees to in a cluster.
    await declare(!meshed);
    await hand.ask({
      kind: 'listen',
      name,
      ports: numbers,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      ...(options.grpc === undefined ? {} : { grpc: options.grpc }),
    });
    const identity = printIdentity(identityOf(mesh, namespace, serviceAccount));
    const proxy = meshed
      ? await prepareRealProxy({
          binary: this.binary,
          place,
          folder: this.podFolder(`${namespace}-${name}`),
          logFile: join(this.logs, `${namespace}-${name}.proxy.log`),
          namespace,
          pod: name,
          identity,
          addresses: [...addresses, ...(options.moreAddresses ?? [])],
          ports: numbers,
          trustAnchors: options.trustAnchors ?? (await readFile(this.state.trustAnchors, 'utf8')),
          token: await this.source.tokenOf({ namespace, name }),
          env: { ...this.controlPlane.proxyEnv(), ...options.env },
        })
      : undefined;
    const pod = new Pod({ namespace, name, place, addresses, identity, hand, proxy });
    this.#pods.add(pod);
    proxy?.start();
    if (meshed) {
      await pod.untilReady();
      await declare(true);
    }
    return pod;
  }

  /** A namespace beside those of pods, on the same bridge. */
  addPlace(name: string, options: PlaceOptions): string {
    return this.#network.add(name, options);
  }

  removePlace(place: string): void {
    this.#network.remove(place);
  }

  /** Makes a whole network of addresses a pod's own, as another pod sees it. */
  lend(network: string, { to, from }: { readonly to: Pod; readonly from: Pod }): void {
    this.#network.lend(network, { to: to.place, via: to.address, from: from.place });
  }

  /** Where a proxy keeps its key and its token. */
  podFolder(name: string): string {
    return join(this.#root, 'pods', name);
  }

  /** Gives a running pod other labels. */
  async relabel(pod: Pod, labels: Readonly<Record<string, string>>): Promise<void> {
    const { namespace, name } = pod;
    const manifest = podManifest({ namespace, name, labels }, [pod.address, pod.address6]);
    await this.put(`pod-${namespace}-${name}`, manifest);
  }

  /** Deletes the pod's object alone: it runs on, as a pod does that is being shut down. */
  async forget(pod: Pod): Promise<void> {
    await this.remove(`pod-${pod.namespace}-${pod.name}`);
  }

  /** The pod is deleted: its object, its processes and its namespace. */
  async deletePod(pod: Pod): Promise<void> {
    await this.forget(pod);
    await pod.end();
    this.#network.remove(pod.place);
    this.#pods.delete(pod);
  }

  /** Ends all of it. Logs stay only where somebody has to read them, and until the next run. */
  async end(logs: 'keep-logs' | 'remove-logs' = 'remove-logs'): Promise<void> {
    await Promise.all([...this.#pods].map((pod) => pod.end()));
    await this.controlPlane.end();
    await this.source.end();
    this.removeNamespaces();
    if (logs === 'remove-logs') await rm(this.#root, { recursive: true, force: true });
  }

  /** For a process that cannot wait any more: what runs in the namespaces dies with it. */
  removeNamespaces(): void {
    this.#network.removeAll();
  }
}

interface RealMeshParts {
  readonly root: string;
  readonly state: StateDir;
  readonly source: MeshSource;
  readonly network: Network;
  readonly binary: string;
  readonly controlPlanePlace: string;
}

interface Surroundings {
  readonly place: string;
  readonly state: StateDir;
  readonly root: string;
}

const openMeshSource = async (
  sourceKind: SourceKind,
  { place, state, root }: Surroundings,
): Promise<MeshSource> => {
  switch (sourceKind) {
    case 'folder':
      return new FolderSource(new Manifests(join(root, 'manifests')), state);
    case 'cluster with token-review':
      return ClusterSource.open({ place, state, logs: join(root, 'logs'), reviewer: 'token-review' });
    case 'cluster with jwks':
      return ClusterSource.open({ place, state, logs: join(root, 'logs'), reviewer: 'jwks' });
  }
};

const removeLeftoverFolders = async (): Promise<void> => {
  for (const name of (await readdir(tmpdir())).filter((name) => isLeftover(name))) {
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
};
