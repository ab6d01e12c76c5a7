import { access, readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { env } from 'node:process';
import { GatehouseError } from '@gatehouse/core/error';
import { isLoopback } from '@gatehouse/core/host-port';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { HttpKubeClient, type KubeClient } from './http-client.ts';
import { openInCluster, serviceAccountFolder } from './in-cluster.ts';

export type { KubeClient, KubeRequest, KubeResponse, KubeStream } from './http-client.ts';

export interface KubeClientOptions {
  /** One kubeconfig file, or several joined as in `KUBECONFIG`; default: as kubectl finds it without the variable. */
  readonly kubeconfig?: string | undefined;
  /** The name of one of its contexts. Default: the current one. */
  readonly context?: string | undefined;
}

/** A cluster as a user at a terminal means it: the API server, and what the kubeconfig's context says beside it. */
export interface KubeContext {
  readonly client: KubeClient;
  /** What `kubectl` would take without `-n`. */
  readonly namespace: string;
  /** The token that proves the user to the API server; undefined where a client certificate or a password does. */
  bearerToken(): Promise<string | undefined>;
}

/**
 * A client for the cluster that kubectl would talk to: `KUBECONFIG`, `~/.kube/config`, the pod's own ServiceAccount.
 * Throws `failed-precondition` that names the variable when there is none (`details.missing` is `kubeconfig` then), or it cannot be used. Whether the API server
 * answers is not tried.
 *
 * client-node is loaded only here, and only for a kubeconfig: it costs 85 MB (decision 5), and a service in its pod does without.
 */
export const openKubeClient = async (options: KubeClientOptions): Promise<KubeClient> =>
  (await openKubeContext(options)).client;

/** The same with what a command line needs beside the client. */
export const openKubeContext = async ({ kubeconfig, context }: KubeClientOptions): Promise<KubeContext> => {
  const found = await findConfig(kubeconfig);
  switch (found.kind) {
    case 'in-cluster': {
      if (context !== undefined)
        throw unusable('the pod', 'it has no contexts: set KUBECONFIG, or leave it out');
      const access = await openInCluster({ env });
      const { namespace, bearerToken } = access;
      return { client: new HttpKubeClient(access), namespace, bearerToken };
    }
    case 'files':
      return openFiles(found.files, context);
  }
};

const openFiles = async (files: readonly string[], context: string | undefined): Promise<KubeContext> => {
  const library = await import('./kubeconfig-library.ts');
  const config = new library.KubeConfig();
  for (const file of files) {
    const one = new library.KubeConfig();
    await load(one, file);
    keepNew(one, config);
    config.mergeConfig(one, config.currentContext !== undefined && config.currentContext !== '');
  }
  const origin = files.join(delimiter);
  if (context !== undefined) useContext(config, context, origin);
  const client = clientFor(config, origin);
  return {
    client,
    namespace: config.getContextObject(config.currentContext)?.namespace || 'default',
    bearerToken: async () => {
      const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
      await config.applyToHTTPSOptions(options);
      return /^bearer +(\S+)$/i.exec(options.headers.Authorization ?? '')?.[1];
    },
  };
};

/** A client without kubeconfig: for tests, and for an API server that asks for no more than a token. */
export const kubeClientAt = (server: string, token?: string): KubeClient =>
  new HttpKubeClient({
    server: new URL(server),
    authorize: async (options) => {
      if (token !== undefined) options.headers = { ...options.headers, authorization: `Bearer ${token}` };
    },
  });

type Found = { readonly kind: 'files'; readonly files: readonly string[] } | { readonly kind: 'in-cluster' };

const findConfig = async (kubeconfig: string | undefined): Promise<Found> => {
  const named = (kubeconfig ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return { kind: 'files', files: named };
  const usual = join(homedir(), '.kube', 'config');
  if (await exists(usual)) return { kind: 'files', files: [usual] };
  if (await exists(join(serviceAccountFolder, 'token'))) return { kind: 'in-cluster' };
  throw new GatehouseError(
    'failed-precondition',
    `no cluster is known: KUBECONFIG is not set, there is no ${usual}, and this is not a pod; set KUBECONFIG, or ` +
      'GATEHOUSE_SOURCE=directory:PATH to do without a cluster',
    { details: { missing: 'kubeconfig' } },
  );
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const load = async (config: KubeConfig, file: string): Promise<void> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw unusable(file, code === 'ENOENT' ? 'there is no such file' : (code ?? message), cause);
  }
  try {
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(file));
  } catch (cause) {
    throw unusable(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
};

/** As kubectl has it: of two entries with one name the first counts. client-node would refuse the second. */
const keepNew = (one: KubeConfig, config: KubeConfig): void => {
  const news = <T extends { readonly name: string }>(all: T[], known: readonly T[]): T[] =>
    all.filter(({ name }) => !known.some((each) => each.name === name));
  one.clusters = news(one.clusters, config.clusters);
  one.users = news(one.users, config.users);
  one.contexts = news(one.contexts, config.contexts);
};

const unusable = (file: string, why: string, cause?: unknown): GatehouseError =>
  new GatehouseError('failed-precondition', `the kubeconfig ${file} (KUBECONFIG) cannot be used: ${why}`, {
    cause,
  });

const useContext = (config: KubeConfig, context: string, origin: string): void => {
  const names = config.contexts.map(({ name }) => name);
  if (!names.includes(context)) {
    throw unusable(origin, `it has no context \`${context}\`, but ${names.join(', ') || 'none at all'}`);
  }
  config.setCurrentContext(context);
};

const clientFor = (config: KubeConfig, origin: string): KubeClient => {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw unusable(origin, `its current context \`${config.currentContext ?? ''}\` names no cluster it has`);
  }
  // Without a user client-node would also leave out the cluster's CA.
  if (config.getCurrentUser() === null) {
    throw unusable(origin, `its current context \`${config.currentContext}\` names no user it has`);
  }
  const server = readServer(cluster, origin);
  if (server.protocol === 'http:') allowPlainText(config, cluster);
  return new HttpKubeClient({
    server,
    authorize: async (options: RequestOptions) => {
      const { agent, timeout } = options;
      delete options.agent;
      delete options.timeout;
      await config.applyToHTTPSOptions(options);
      if (timeout !== undefined) options.timeout = timeout;
      // Its agents keep no connection; one that goes through a proxy is needed all the same.
      if (!cluster.proxyUrl && agent !== undefined) options.agent = agent;
    },
  });
};

const readServer = ({ server }: Cluster, origin: string): URL => {
  if (!URL.canParse(server)) throw unusable(origin, `its server \`${server}\` is not a valid URL`);
  const url = new URL(server);
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'))) return url;
  throw unusable(origin, `its server \`${server}\` would be talked to in plain text: use https`);
};

/** client-node refuses plain HTTP unless certificates are not looked at, of which there are none. */
const allowPlainText = (config: KubeConfig, cluster: Cluster): void => {
  config.clusters = config.clusters.map((one) =>
    one.name === cluster.name ? { ...one, skipTLSVerify: true } : one,
  );
};
