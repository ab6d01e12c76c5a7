import { readFile } from 'node:fs/promises';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { HealthReport } from '@gatehouse/platform/admin/health';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import type { Answers } from '../agent/messages.ts';
import { Agent } from './agent.ts';
import { eventually } from './eventually.ts';
import { mesh } from './mesh-names.ts';
import { Resident } from './resident.ts';

export const serviceNames = ['identity', 'destination', 'policy'] as const satisfies readonly ServiceName[];
const grpcPorts = { identity: 8080, destination: 8086, policy: 8090 } as const;
const adminPorts = { identity: 9990, destination: 9996, policy: 9999 } as const;

/** The addresses of pods and of Services: what the proxies and the policy service call the cluster. */
export const clusterNetworks = '10.99.0.0/16,fd00:99::/64,10.96.0.0/16,fd00:96::/112';

const meshNameOf = (service: ServiceName): string =>
  printIdentity(identityOf(mesh, mesh.controlPlaneNamespace, `gatehouse-${service}`));

const mainOf = (service: ServiceName): string =>
  fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url));

export interface ControlPlaneOptions {
  readonly place: string;
  /** Its address in that namespace, where proxies reach it. */
  readonly address: string;
  readonly stateRoot: string;
  readonly logs: string;
  /** Where each of them reads, and how it proves itself. */
  readonly settingsOf: (service: ServiceName) => Readonly<Record<string, string>>;
}

/** The three services, each a process of its own in the control plane's namespace; over TLS with their mesh names. */
export class ControlPlane {
  readonly hand: Agent;
  readonly #address: string;
  readonly #stateRoot: string;
  readonly #services: Readonly<Record<ServiceName, Resident>>;

  constructor({ place, address, stateRoot, logs, settingsOf }: ControlPlaneOptions) {
    this.#address = address;
    this.#stateRoot = stateRoot;
    this.hand = new Agent(place, `${logs}/control-plane-hand.log`);
    const prepare = (service: ServiceName): Resident =>
      new Resident({
        place,
        command: [execPath, mainOf(service)],
        logFile: `${logs}/${service}.log`,
        env: {
          GATEHOUSE_GRPC_ADDR: `${address}:${grpcPorts[service]}`,
          GATEHOUSE_ADMIN_ADDR: `127.0.0.1:${adminPorts[service]}`,
          GATEHOUSE_LOG_FORMAT: 'json',
          ...(service === 'destination' ? { GATEHOUSE_PROXY_IPV6: 'true' } : {}),
          ...(service === 'identity'
            ? {}
            : {
                GATEHOUSE_IDENTITY_ADDR: `${address}:${grpcPorts.identity}`,
                GATEHOUSE_CLUSTER_NETWORKS: clusterNetworks,
              }),
          ...settingsOf(service),
        },
      });
    this.#services = {
      identity: prepare('identity'),
      destination: prepare('destination'),
      policy: prepare('policy'),
    };
  }

  /** `env` adds to its usual settings, for this once. */
  start(service: ServiceName, env: Readonly<Record<string, string>> = {}): void {
    this.#services[service].start(env);
  }

  /** SIGKILL, as a machine that lost power. */
  async kill(service: ServiceName): Promise<void> {
    await this.#services[service].end('SIGKILL');
  }

  async untilReady(service: ServiceName): Promise<void> {
    await eventually(`${service} to be ready`, () =>
      this.hand.read(`http://127.0.0.1:${adminPorts[service]}/ready`),
    );
  }

  /** How long ago each kind that the service watches was last known to be current, in seconds; from its `/v1/health`. */
  async staleness(service: ServiceName): Promise<readonly number[]> {
    const report: HealthReport = JSON.parse(await this.read(service, '/v1/health'));
    return report.kinds.map(({ stalenessSeconds }) => stalenessSeconds ?? Number.POSITIVE_INFINITY);
  }

  /** A page of a service's admin port, read with the token of this mesh. */
  async read(service: ServiceName, path: string): Promise<string> {
    const token = await readFile(stateDirAt(this.#stateRoot).adminToken, 'utf8');
    return this.hand.read(`http://127.0.0.1:${adminPorts[service]}${path}`, token.trim());
  }

  /** The certificate that a service shows to proxies. */
  shownLeaf(service: ServiceName): Promise<Answers['certificate']> {
    const host = this.#address;
    return this.hand.ask({
      kind: 'certificate',
      host,
      port: grpcPorts[service],
      serverName: meshNameOf(service),
    });
  }

  /** How proxies find the services: addresses beyond loopback, so TLS with these names is mandatory. */
  proxyEnv(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      serviceNames.flatMap((service) => {
        const prefix = `LINKERD2_PROXY_${service.toUpperCase()}_SVC`;
        return [
          [`${prefix}_ADDR`, `${this.#address}:${grpcPorts[service]}`],
          [`${prefix}_NAME`, meshNameOf(service)],
        ];
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(serviceNames.map((service) => this.#services[service].end('SIGTERM')));
    await this.hand.end();
  }
}
