import type { Call, Outcome } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Manifest } from '../rig/manifests.ts';
import type { Pod } from '../rig/pod.ts';
import { type Sample, total } from '../rig/proxy-metrics.ts';
import type { PodOptions, RealMesh } from '../rig/real-mesh.ts';
import type { Expected } from './expectations.ts';
import type { Observer, Until } from './observer.ts';
import { type ServiceAddress, service } from './policies.ts';

let fixtures = 0;

const openConnections = (samples: readonly Sample[], { address }: Pod): number =>
  total(samples, 'tcp_open_connections', { direction: 'outbound', peer: 'dst', target_ip: address });

/** What a scenario is played on. */
export interface FixtureParts {
  readonly mesh: RealMesh;
  readonly observer: Observer;
  /** The ports of the Service `backend`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** A namespace of one scenario that denies by default, with a Service `backend` at an address of its own. */
export class Fixture {
  readonly mesh: RealMesh;
  readonly observer: Observer;
  readonly namespace: string;
  readonly clusterIP: string;
  /** The Service's other address, for scenarios that declare it with both. */
  readonly clusterIP6: string;
  readonly #parts: FixtureParts;
  readonly #pods: Pod[] = [];
  readonly #servers: Pod[] = [];
  readonly #accounts = new Set<string>();

  private constructor(parts: FixtureParts, number: number) {
    this.#parts = parts;
    this.mesh = parts.mesh;
    this.observer = parts.observer;
    this.namespace = `s${number}`;
    this.clusterIP = `10.96.1.${number}`;
    this.clusterIP6 = `fd00:96::${number.toString(16)}`;
  }

  /** Opens a fixture for `play`, and clears it away whatever happens there. */
  static async play(
    parts: FixtureParts,
    play: (fixture: Fixture) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    fixtures += 1;
    const fixture = new Fixture(parts, fixtures);
    await fixture.declare({});
    await fixture.declareService({});
    try {
      return await play(fixture);
    } finally {
      for (const pod of [...fixture.#pods]) await fixture.deletePod(pod);
    }
  }

  /** Writes the namespace again, with these annotations besides the default policy `deny`. */
  async declare(annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.mesh.namespace(this.namespace, {
      'config.linkerd.io/default-inbound-policy': 'deny',
      ...annotations,
    });
  }

  /** Writes the Service again: with its other address, say, or without one of them. */
  async declareService(address: Partial<ServiceAddress>): Promise<void> {
    const { namespace, clusterIP } = this;
    await this.mesh.put(
      `service-${namespace}`,
      service(namespace, 'backend', { clusterIP, ...address, ports: this.#parts.ports }),
    );
  }

  /** A pod of the scenario. One that has ports is a server: whatever it is asked is looked for there. */
  async pod(app: string, options: Partial<PodOptions> = {}): Promise<Pod> {
    const { namespace } = this;
    await this.account(options.serviceAccount ?? 'default');
    const pod = await this.mesh.pod({ namespace, name: `${app}-0`, labels: { app }, ...options });
    this.#pods.push(pod);
    if (options.ports !== undefined) this.#servers.push(pod);
    return pod;
  }

  /** Every namespace has the ServiceAccount `default`; others have to be declared. */
  async account(name: string): Promise<void> {
    if (name === 'default' || this.#accounts.has(name)) return;
    this.#accounts.add(name);
    const metadata = { namespace: this.namespace, name };
    await this.mesh.put(`account-${this.namespace}-${name}`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata,
    });
  }

  async deletePod(pod: Pod): Promise<void> {
    this.#pods.splice(this.#pods.indexOf(pod), 1);
    if (this.#servers.includes(pod)) this.#servers.splice(this.#servers.indexOf(pod), 1);
    await this.mesh.deletePod(pod);
  }

  /**
   * Takes a server out of service as a rolling update does: first nobody is sent there any more, as the metrics of `callers`
   * say, then it goes. What it has seen stays on record.
   */
  async retire(pod: Pod, callers: readonly Pod[]): Promise<void> {
    await this.mesh.forget(pod);
    for (const caller of callers) {
      await eventually(`${caller.name} to know ${pod.name} no longer`, async () =>
        openConnections(await caller.metrics(), pod) === 0 ? true : undefined,
      );
    }
    await this.observer.remember(pod);
    await this.deletePod(pod);
  }

  get servers(): readonly Pod[] {
    return this.#servers;
  }

  /** Makes one call: exactly what is expected happens, seen from all three sides. */
  expect(from: Pod, call: Call, expected: Expected): Promise<Outcome> {
    return this.observer.expect({ from, call, at: this.#servers }, expected);
  }

  /** Repeats a call until the client's outcome is that; answers how long that took, in milliseconds. */
  until(from: Pod, call: Call, wanted: string | Until): Promise<number> {
    const until = typeof wanted === 'string' ? { outcome: wanted } : wanted;
    return this.observer.until({ from, call, at: this.#servers }, until);
  }

  /** A call to the Service. */
  toService(port: number, call: Partial<Call> = {}): Call {
    const authority = `backend.${this.namespace}:${port}`;
    return { host: this.clusterIP, port, speaks: 'http1', authority, ...call };
  }

  /** Puts policies in place of those that this fixture had. */
  async put(...objects: readonly Manifest[]): Promise<void> {
    await this.mesh.put(`policy-${this.namespace}`, ...objects);
  }

  async removePolicies(): Promise<void> {
    await this.mesh.remove(`policy-${this.namespace}`);
  }
}
