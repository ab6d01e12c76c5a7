import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Surroundings } from '../../cli.ts';
import type { ClusterOptions } from './install-options.ts';
import { type Installed, openCluster, readInstalled } from './installed.ts';

/** A cluster for as long as a command asks it. */
export interface OpenedCluster extends Disposable {
  readonly client: KubeClient;
}

/** The cluster of the kubeconfig. Throws when none is known. */
export const needCluster = async (
  options: ClusterOptions,
  surroundings: Surroundings,
): Promise<OpenedCluster> => {
  const client = await openCluster(options, surroundings);
  if (client === undefined) {
    throw new GatehouseError(
      'failed-precondition',
      'no cluster is known: give --kubeconfig, or set KUBECONFIG',
    );
  }
  return { client, [Symbol.dispose]: () => client.close() };
};

/** What runs in the namespace, and the values that it was given. Throws when nothing was installed there. */
export const readGivenValues = async (
  client: KubeClient,
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<{ readonly installed: Installed; readonly given: WireObject }> => {
  const installed = await readInstalled(client, { namespace, signal });
  const { given } = installed;
  if (given !== undefined) return { installed, given };
  throw new GatehouseError(
    'not-found',
    `nothing is installed in the namespace ${namespace} of ${client.server}: use gatehouse install, or name the namespace with ` +
      '--control-plane-namespace',
  );
};
