import type { Call, Outcome } from '../hand/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Manifest } from '../rig/manifests.ts';
import type { Pod } from '../rig/pod.ts';
import type { PodOptions, RealMesh } from '../rig/real-mesh.ts';
import { wordOf } from './expectations.ts';
import { service } from './policies.ts';

let stages = 0;

/** A namespace of one scenario that denies by default, with a Service `backend` at an address of its own. */
export class Stage {
  readonly mesh: RealMesh;
  readonly namespace: string;
  readonly clusterIP: string;
  /** The Service's other address, for scenarios that declare it with both. */
  readonly clusterIP6: string;
  readonly #pods: Pod[] = [];

  private constructor(mesh: RealMesh, number: number) {
    this.mesh = mesh;
    this.namespace = `s${number}`;
    this.clusterIP = `10.96.1.${number}`;
    this.clusterIP6 = `fd00:96::${number.toString(16)}`;
  }

  /** Opens a stage for `play`, and clears it away whatever happens there. */
  static async play(
    mesh: RealMesh,
    ports: Readonly<Record<string, number>>,
    play: (stage: Stage) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    stages += 1;
    const stage = new Stage(mesh, stages);
    await stage.declare({});
    await mesh.manifests.put(
      `service-${stage.namespace}`,
      service(stage.namespace, 'backend', { clusterIP: stage.clusterIP, ports }),
    );
    try {
      return await play(stage);
    } finally {
      for (const pod of stage.#pods) await mesh.deletePod(pod);
    }
  }

  /** Writes the namespace anew, with these annotations besides the default policy `deny`. */
  async declare(annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.mesh.namespace(this.namespace, {
      'config.linkerd.io/default-inbound-policy': 'deny',
      ...annotations,
    });
  }

  async pod(app: string, options: Partial<PodOptions> = {}): Promise<Pod> {
    const name = `${app}-0`;
    const pod = await this.mesh.pod({ namespace: this.namespace, name, labels: { app }, ...options });
    this.#pods.push(pod);
    return pod;
  }

  async deletePod(pod: Pod): Promise<void> {
    this.#pods.splice(this.#pods.indexOf(pod), 1);
    await this.mesh.deletePod(pod);
  }

  /** A call to the Service. */
  toService(port: number, call: Partial<Call> = {}): Call {
    const authority = `backend.${this.namespace}:${port}`;
    return { host: this.clusterIP, port, speaks: 'http1', authority, ...call };
  }

  /** Puts policies in place of those that this stage had. */
  async put(...objects: readonly Manifest[]): Promise<void> {
    await this.mesh.manifests.put(`policy-${this.namespace}`, ...objects);
  }

  async removePolicies(): Promise<void> {
    await this.mesh.manifests.remove(`policy-${this.namespace}`);
  }
}

/** Calls until the outcome is the expected one; answers how long that took, in milliseconds. */
export const callUntil = async (pod: Pod, call: Call, expected: string): Promise<number> => {
  const since = performance.now();
  let last: Outcome | undefined;
  await eventually(`${expected} from ${call.host}:${call.port}${call.path ?? ''}`, async () => {
    last = await pod.call(call);
    if (wordOf(last) === expected) return true;
    throw new Error(`the last was ${wordOf(last)}`);
  });
  return performance.now() - since;
};
