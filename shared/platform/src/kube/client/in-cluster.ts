import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { printHostPort } from '@gatehouse/core/host-port';
import type { KubeAccess } from './http-client.ts';

/** Where kubelet mounts what a pod's ServiceAccount needs: `token`, `ca.crt`, `namespace`. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Kubelet writes a new token when 80 % of the old one's time are over, an hour at least: what was read counts so long, as in client-go. */
const readAgainMs = 60_000;

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which every container is told. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
}

/** How a pod reaches its cluster's API server, and as whom. */
export interface InCluster extends KubeAccess {
  /** The pod's; `default` where kubelet does not say it. */
  readonly namespace: string;
  /** The token of its ServiceAccount. */
  bearerToken(): Promise<string>;
}

/**
 * The pod's own ServiceAccount, as Kubernetes documents it for programs without a client library ("Accessing the Kubernetes API from
 * a Pod"). The services run this way, so it is done here and not by client-node: loading that costs more than all of a service's own
 * code, and it reads the files again for every single request. Throws `failed-precondition` that names what is missing.
 */
export const openInCluster = async ({
  env,
  folder = serviceAccountFolder,
  elapsed = () => performance.now(),
}: InClusterOptions): Promise<InCluster> => {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env;
  const address = `https://${printHostPort({ host, port: Number(port) })}`;
  if (host === '' || !/^\d{1,5}$/.test(port) || !URL.canParse(address)) {
    throw new GatehouseError(
      'failed-precondition',
      `this is a pod, but KUBERNETES_SERVICE_HOST=${host} and KUBERNETES_SERVICE_PORT=${port} do not say where the API server is: leave them as kubelet sets them`,
    );
  }
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
  const readBoth = async () => {
    const [token, ca] = await Promise.all([read('token'), read('ca.crt')]);
    return { token: token.trim(), ca, at: elapsed() };
  };
  let known: ReturnType<typeof readBoth> | undefined;
  const credentials = async () => {
    const before = await known?.catch(() => undefined);
    if (before !== undefined && elapsed() - before.at < readAgainMs) return before;
    known = readBoth();
    return known;
  };
  return {
    server: new URL(address),
    namespace: (await read('namespace').catch(() => '')).trim() || 'default',
    bearerToken: async () => (await credentials()).token,
    authorize: async (options) => {
      const { token, ca } = await credentials();
      options.ca = ca;
      options.headers = { ...options.headers, authorization: `Bearer ${token}` };
    },
  };
};
