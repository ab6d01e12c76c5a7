import { GatehouseError } from '@gatehouse/core/error';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { listenTrouble } from '@gatehouse/platform/process/listen-error';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';

type Environment = Readonly<Record<string, string | undefined>>;

/** What moves the addresses of `gatehouse serve`. */
const addressFlags =
  '--port-base N moves all ports together, 0 picks free ones; --host HOST listens elsewhere';

/** What to do, in the flags that the settings of a service are made of. */
const inFlags = (error: GatehouseError): string => {
  const listening = listenTrouble(error);
  if (listening !== undefined) return `${listening} (${addressFlags})`;
  if (error.details.missing === 'kubeconfig')
    return 'no cluster is known: --dir FOLDER serves a folder of manifests, --kubeconfig FILE a cluster';
  return error.message;
};

const start = (service: ServiceName, env: Environment): Promise<RunningService> => {
  switch (service) {
    case 'identity':
      return startIdentity(readIdentityConfig(env));
    case 'destination':
      return startDestination(readDestinationConfig(env));
    case 'policy':
      return startPolicy(readPolicyConfig(env));
  }
};

/**
 * Starts the services one after another, identity first since the others obtain their certificates from it. When one
 * fails to start, those already up are stopped and its error is thrown, naming it.
 */
export const startServices = async (
  services: readonly ServiceName[],
  environmentOf: (service: ServiceName, identity: RunningService | undefined) => Environment,
): Promise<readonly RunningService[]> => {
  const running: RunningService[] = [];
  for (const service of services) {
    try {
      running.push(
        await start(
          service,
          environmentOf(
            service,
            running.find((one) => one.service === 'identity'),
          ),
        ),
      );
    } catch (thrown) {
      await stopServices(running, `${service} did not start`);
      if (!(thrown instanceof GatehouseError)) throw thrown;
      throw new GatehouseError(thrown.code, `${service} did not start: ${inFlags(thrown)}`, {
        cause: thrown,
      });
    }
  }
  return running;
};

/** In the reverse of the order they were started, so that nobody loses its identity service before its own end. */
export const stopServices = async (running: readonly RunningService[], reason: string): Promise<void> => {
  for (const service of running.toReversed()) await service.stop(reason);
};
