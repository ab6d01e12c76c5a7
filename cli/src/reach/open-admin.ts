import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { GatehouseError } from '@gatehouse/core/error';
import { isLoopback } from '@gatehouse/core/host-port';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import { defaultStateDir } from '@gatehouse/dev/serve/default-state-dir';
import { readServed, type ServedAt } from '@gatehouse/dev/serve/served';
import { type KubeContext, openKubeContext } from '@gatehouse/platform/kube/client/client';
import { accountOf, type ServiceName } from '@gatehouse/platform/service/service';
import { stateDirAt } from '@gatehouse/platform/state/state-dir';
import { readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import type { Surroundings } from '../cli.ts';
import { type AdminApi, adminApi } from './admin-client.ts';
import { clusterToken, createToken } from './cluster-token.ts';
import { controlPlaneNamespace } from './control-plane-namespace.ts';
import { findServicePod } from './find-service-pod.ts';
import type { ReachOptions } from './reach-options.ts';

/** Which mesh a command line means: how its services are reached. */
export type MeshPlace =
  | { readonly kind: 'address'; readonly url: URL }
  /** A `gatehouse serve` on this machine. */
  | { readonly kind: 'state'; readonly root: string }
  | { readonly kind: 'cluster'; readonly cluster: KubeContext };

/**
 * What was named counts. Otherwise the `gatehouse serve` of the state directory if it is recorded as running, else the
 * cluster of the kubeconfig. Throws when there is neither.
 */
export const findMesh = async (
  service: ServiceName,
  options: ReachOptions,
  { env, workingDirectory }: Surroundings,
): Promise<MeshPlace> => {
  if (options.address !== undefined) return { kind: 'address', url: readAddress(options.address) };
  const root = resolve(workingDirectory, options.state ?? env.GATEHOUSE_STATE_DIR ?? defaultStateDir);
  const namesCluster = options.kubeconfig !== undefined || options.context !== undefined;
  const serves = namesCluster
    ? undefined
    : await readServed(stateDirAt(root), service).catch(() => undefined);
  if (options.state !== undefined || serves !== undefined) return { kind: 'state', root };
  const named = options.kubeconfig;
  const kubeconfig = named === undefined ? env.KUBECONFIG : resolve(workingDirectory, named);
  const { context } = options;
  const cluster = await openKubeContext({ kubeconfig, context }).catch((thrown: unknown) => {
    if (!(thrown instanceof GatehouseError) || thrown.details.missing !== 'kubeconfig') throw thrown;
    throw new GatehouseError(
      'failed-precondition',
      `no mesh is known: nothing runs on ${root}, and there is no kubeconfig; start \`gatehouse serve --dir DIR\`, ` +
        'or say which mesh with --state, --kubeconfig or --address',
      { cause: thrown },
    );
  });
  return { kind: 'cluster', cluster };
};

/** Reaches the REST API of a service. Notes for people go to standard error. */
export const openAdmin = (
  service: ServiceName,
  place: MeshPlace,
  { options, surroundings }: { readonly options: ReachOptions; readonly surroundings: Surroundings },
): Promise<AdminApi> => {
  switch (place.kind) {
    case 'address':
      return atAddress(service, place.url, { options, surroundings });
    case 'state':
      return onState(service, place.root, { options, surroundings });
    case 'cluster':
      return inCluster(service, place.cluster, { options, surroundings });
  }
};

interface Asking {
  readonly options: ReachOptions;
  readonly surroundings: Surroundings;
}

const readAddress = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:') return url;
  if (url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'))) return url;
  const why =
    url?.protocol === 'http:'
      ? 'would send the token in plain text'
      : 'is not a valid address such as https://HOST:9990';
  throw new GatehouseError('invalid-argument', `--address ${text} ${why}: use https, or http on loopback`);
};

const atAddress = async (service: ServiceName, url: URL, asking: Asking): Promise<AdminApi> => {
  const { options, surroundings } = asking;
  const token = await givenToken(asking);
  if (token === undefined) {
    throw new GatehouseError('invalid-argument', '--address needs --token TOKEN or --token-file FILE');
  }
  const ca =
    options.caFile === undefined
      ? undefined
      : await readTrustAnchors(resolve(surroundings.workingDirectory, options.caFile));
  return adminApi({
    service,
    place: url.origin,
    token,
    ifUnknown: 'give another with --token or --token-file',
    ifAway: 'correct --address',
    transport: {
      kind: 'url',
      url,
      ...(ca === undefined
        ? {}
        : {
            tls: {
              ca,
              checkServerIdentity: meshNameOf(service, controlPlaneNamespace(options, surroundings)),
            },
          }),
    },
    signal: surroundings.interrupted,
  });
};

/**
 * A mesh's certificate names a ServiceAccount, never a host: that it is the service's own is what is checked. Its namespace is
 * part of that, since in another one anybody may make a ServiceAccount of this name.
 */
export const meshNameOf =
  (service: ServiceName, namespace: string) =>
  (_host: string, { subjectaltname = '' }: PeerCertificate): Error | undefined => {
    const account = accountOf(service);
    // The only name, so that none of several can be picked to please us.
    const [, name = ''] = /^DNS:([^,]+)$/.exec(subjectaltname) ?? [];
    const found = parseIdentity(name);
    return found.kind === 'workload' &&
      found.serviceAccount === account &&
      found.namespace === namespace &&
      found.controlPlaneNamespace === namespace
      ? undefined
      : new Error(`it is ${subjectaltname || 'a server without a name'}, not ${account}.${namespace}`);
  };

const onState = async (service: ServiceName, root: string, asking: Asking): Promise<AdminApi> => {
  const { options, surroundings } = asking;
  const state = stateDirAt(root);
  const { admin }: ServedAt = await readServed(state, service);
  const given = await givenToken(asking);
  const token =
    given ??
    (await readFile(state.adminToken, 'utf8').catch((cause: unknown) => {
      throw new GatehouseError(
        'failed-precondition',
        `${state.adminToken} cannot be read: become who runs \`gatehouse serve\`, or give --token`,
        { cause },
      );
    }));
  if (options.state === undefined && surroundings.terminal.isTty) {
    surroundings.terminal.err(surroundings.terminal.paint('dim', `asking the ${service} of ${root}`));
  }
  return adminApi({
    service,
    place: admin,
    token: token.trim(),
    ifUnknown:
      given === undefined
        ? `${state.adminToken} holds another than the service started with: start the service again`
        : `leave out --token and --token-file, and ${state.adminToken} is used`,
    ifAway: `start \`gatehouse serve\` on ${root} again, or name another mesh with --state, --kubeconfig or --address`,
    transport: { kind: 'url', url: new URL(admin) },
    signal: surroundings.interrupted,
  });
};

const inCluster = async (service: ServiceName, cluster: KubeContext, asking: Asking): Promise<AdminApi> => {
  const namespace = controlPlaneNamespace(asking.options, asking.surroundings);
  const { terminal, interrupted: signal } = asking.surroundings;
  const { client } = cluster;
  const pod = await findServicePod(client, { service, namespace, signal });
  const place = `pod ${namespace}/${pod.name}`;
  if (!pod.isReady) terminal.err(terminal.paint('yellow', `${place} is not ready; it is asked all the same`));
  const given = await givenToken(asking);
  const { token, from } =
    given === undefined
      ? await clusterToken(cluster, { namespace, signal })
      : { token: given, from: 'what --token or --token-file says' };
  return adminApi({
    service,
    place,
    token,
    ifUnknown: `it was ${from}; ${createToken(namespace)}`,
    ifAway: `see kubectl logs -n ${namespace} ${pod.name}`,
    // Plain HTTP inside: the way is TLS up to the node that the pod runs on, and it also works when certificates have
    // run out, which is when people ask.
    transport: {
      kind: 'stream',
      open: () => client.portForward({ namespace, pod: pod.name, port: pod.port, signal }),
    },
    signal,
  });
};

const givenToken = async (asking: Asking): Promise<string | undefined> => {
  const { token, tokenFile } = asking.options;
  const text = token ?? (tokenFile === undefined ? undefined : await readText(tokenFile, asking));
  if (text === undefined || /^[\w~+/.=-]+$/.test(text.trim())) return text?.trim();
  const named = token === undefined ? tokenFile : '--token';
  throw new GatehouseError('invalid-argument', `${named} holds no bearer token: it must be one word`);
};

const readText = (file: string, { surroundings }: Asking): Promise<string> =>
  readFile(resolve(surroundings.workingDirectory, file), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError(
      'failed-precondition',
      `${file} cannot be read (${cause.code}): correct its name`,
      {
        cause,
      },
    );
  });
