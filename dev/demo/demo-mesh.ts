import { GatehouseError } from '@gatehouse/core/error';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { makeStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import { lockState, type StateLock } from '@gatehouse/platform/state/state-lock';
import { type Caller, openCaller } from '../proxy/call.ts';
import { recordFolder } from '../serve/recorded-folder.ts';
import { removeServed, type ServedAt, writeServed } from '../serve/served.ts';
import { serviceNames } from '../serve/service-addresses.ts';
import { type DemoPod, projectTokens, startPod, stopPod } from './demo-pods.ts';
import { type DemoService, type DemoServices, prepareServices, untilReady } from './demo-services.ts';
import { EventHub } from './event-hub.ts';
import { FolderStorySource } from './folder-source.ts';
import type { StorySource } from './story-source.ts';

const mesh: Mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };

export const podNames = ['frontend-0', 'backend-0', 'intruder-0'] as const;
export type PodName = (typeof podNames)[number];

/** How long one call may take: longer than a restart of the control plane, which new targets have to wait for. */
const callTimeoutMs = 15_000;

export interface MeshOptions {
  readonly stateRoot: string;
  readonly interrupted: AbortSignal;
  /** Left out, the story takes place in a folder of the state directory. */
  readonly openSource?: (state: StateDir) => Promise<StorySource>;
}

interface Parts {
  readonly state: StateDir;
  readonly source: StorySource;
  readonly services: DemoServices;
  readonly lock: StateLock;
  readonly interrupted: AbortSignal;
}

/** Everything that runs in the demo: three services, three pods, their callers; and how it all ends. */
export class DemoMesh {
  readonly state: StateDir;
  readonly source: StorySource;
  readonly services: DemoServices;
  readonly hub = new EventHub();
  /** Aborts when the user interrupts: whatever waits, stops waiting. */
  readonly interrupted: AbortSignal;
  readonly #lock: StateLock;
  readonly #ended = new AbortController();
  readonly #pods = new Map<PodName, DemoPod>();
  readonly #callers = new Map<PodName, Caller>();
  #tokens: Promise<void> | undefined;
  #tokenFailure: string | undefined;

  private constructor({ state, source, services, lock, interrupted }: Parts) {
    this.state = state;
    this.source = source;
    this.services = services;
    this.interrupted = interrupted;
    this.#lock = lock;
  }

  /** Makes the state directory and an empty cluster. Throws `already-exists` when a demo runs there. */
  static async prepare({
    stateRoot,
    interrupted,
    openSource = FolderStorySource.open,
  }: MeshOptions): Promise<DemoMesh> {
    const state = await makeStateDir(stateRoot);
    const lock = await lockState(state, 'demo');
    try {
      const source = await openSource(state);
      const services = await prepareServices(state, source, mesh);
      return new DemoMesh({ state, source, services, lock, interrupted });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async startServices(): Promise<void> {
    for (const service of serviceNames) this.services[service].child.start();
    await this.untilServicesReady();
    await this.#tellWhereTheyAre();
  }

  /** So that `gatehouse dev` works on the demo's state directory as it does on that of `gatehouse serve`. */
  async #tellWhereTheyAre(): Promise<void> {
    if (this.source.folder === undefined) return;
    await recordFolder(this.state, this.source.folder);
    const { identity, destination, policy } = this.services;
    const at = ({ grpc, admin, name }: DemoService): ServedAt => ({ grpc, admin, name, tls: true });
    await writeServed(this.state, {
      identity: at(identity),
      destination: at(destination),
      policy: at(policy),
      trustAnchors: this.state.trustAnchors,
    });
  }

  async untilServicesReady(): Promise<void> {
    await Promise.all(serviceNames.map((service) => untilReady(this.services[service], this.interrupted)));
  }

  /** SIGKILL, and at once started again at the same address. */
  async killAndRestart(service: ServiceName): Promise<void> {
    await this.services[service].child.kill();
    this.services[service].child.start();
  }

  async startPods(): Promise<void> {
    const { state, source, services, hub } = this;
    const options = { state, source, index: await source.read(), mesh, services, hub };
    const renewTokens = await projectTokens(options, podNames);
    this.#tokens = renewTokens(this.#ended.signal).catch((thrown: unknown) => {
      this.#tokenFailure = `the pods' tokens cannot be renewed: ${thrown instanceof Error ? thrown.message : thrown}`;
    });
    for (const name of podNames) this.#pods.set(name, await startPod(options, name));
  }

  pod(name: PodName): DemoPod {
    const pod = this.#pods.get(name);
    if (pod === undefined) throw new GatehouseError('internal', `${name} has not been started`);
    return pod;
  }

  /** The one caller of a pod: all its calls go over one connection to its proxy, as a client with keep-alive does. */
  caller(name: PodName): Caller {
    let caller = this.#callers.get(name);
    if (caller === undefined) {
      const [host = '', port = ''] = this.pod(name).httpProxy.split(':');
      caller = openCaller({ host, port: Number(port) }, callTimeoutMs);
      this.#callers.set(name, caller);
    }
    return caller;
  }

  /** What ended although nobody asked it to; undefined while all is well. */
  get failure(): string | undefined {
    const children = [
      ...serviceNames.map((service) => this.services[service].child),
      ...[...this.#pods.values()].map(({ proxy }) => proxy),
    ];
    return children.find((child) => child.failure !== undefined)?.failure ?? this.#tokenFailure;
  }

  /** Ends all of it, the data plane first; what is left is the state directory. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#tokens;
    for (const caller of this.#callers.values()) caller.close();
    await Promise.all([...this.#pods.values()].map(stopPod));
    await Promise.all(serviceNames.map((service) => this.services[service].child.stop()));
    await removeServed(this.state, serviceNames);
    await this.#lock.release();
  }
}
