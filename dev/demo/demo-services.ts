import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { serviceNames } from '../serve/service-addresses.ts';
import { Child } from './child.ts';
import { serviceScript } from './demo-paths.ts';
import { findFreePorts } from './free-ports.ts';
import type { StorySource } from './story-source.ts';

/** The networks that the directory source gives addresses from (design §5.1). */
export const demoNetworks = '127.64.0.0/10,127.128.0.0/10';

export interface DemoService {
  readonly child: Child;
  /** `host:port`; the same again after a restart. */
  readonly grpc: string;
  /** `http://host:port`. */
  readonly admin: string;
  /** Its mesh name, which its certificate has. */
  readonly name: string;
}

export type DemoServices = Readonly<Record<ServiceName, DemoService>>;

/**
 * The three services as the demo runs them: child processes on the story's objects, TLS with mesh names on loopback too, which is
 * the production path.
 */
export const prepareServices = async (
  state: StateDir,
  source: StorySource,
  mesh: Mesh,
): Promise<DemoServices> => {
  const ports = await findFreePorts(2 * serviceNames.length);
  const at = (index: number): string => `127.0.0.1:${ports[index]}`;
  const prepare = (service: ServiceName, index: number): DemoService => {
    const [grpc, admin] = [at(2 * index), at(2 * index + 1)];
    const env = {
      ...source.settingsOf(service),
      GATEHOUSE_GRPC_ADDR: grpc,
      GATEHOUSE_GRPC_TLS: 'always',
      GATEHOUSE_ADMIN_ADDR: admin,
      GATEHOUSE_WEBHOOK_ADDR: '',
      GATEHOUSE_LOG_FORMAT: 'json',
      ...(service === 'identity'
        ? {}
        : { GATEHOUSE_IDENTITY_ADDR: at(0), GATEHOUSE_CLUSTER_NETWORKS: demoNetworks }),
    };
    const logFile = `${state.root}/logs/${service}.log`;
    const child = new Child({ name: service, script: serviceScript(service), env, logFile });
    const name = printIdentity(identityOf(mesh, mesh.controlPlaneNamespace, accountOf(service)));
    return { child, grpc, admin: `http://${admin}`, name };
  };
  return {
    identity: prepare('identity', 0),
    destination: prepare('destination', 1),
    policy: prepare('policy', 2),
  };
};

/** Generous: on a busy machine a start takes ten times what it takes alone, and a service that ended is told at once. */
const startMs = 90_000;

/** Resolves when the service says that it is ready; rejects when its process ended, or with its own reasons after a while. */
export const untilReady = async ({ child, admin }: DemoService, signal: AbortSignal): Promise<void> => {
  const deadline = performance.now() + startMs;
  let said = 'it does not answer';
  for (;;) {
    if (child.failure !== undefined) throw new GatehouseError('unavailable', child.failure);
    if (signal.aborted) throw new GatehouseError('cancelled', `interrupted while ${child.name} was starting`);
    try {
      const answer = await fetch(`${admin}/ready`, { signal: AbortSignal.timeout(2_000) });
      if (answer.ok) return;
      said = await answer.text();
    } catch {
      // Not listening yet.
    }
    if (performance.now() > deadline) {
      throw new GatehouseError(
        'deadline-exceeded',
        `${child.name} is not ready: ${said} (log: ${child.logFile})`,
      );
    }
    await sleep(25);
  }
};
