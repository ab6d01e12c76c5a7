import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import type { InjectingMesh } from '@gatehouse/core/injection/inject-pod';
import {
  defaultProxySettings,
  type ProxySettings,
  parseProxySettings,
} from '@gatehouse/core/injection/proxy-settings';
import { printProblem } from '@gatehouse/core/problem';
import { type KubeContext, openKubeContext } from '@gatehouse/platform/kube/client/client';
import { readPemBundle } from '@gatehouse/platform/tls/pem-bundle';
import { Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { controlPlaneNamespace } from '../../reach/control-plane-namespace.ts';
import { getObject } from '../../reach/get-object.ts';
import type { InjectOptions } from './inject.ts';

/** The mesh that a command line means, as far as it can be known. */
export interface MeshAtHand {
  /** Undefined where no cluster is to be asked, or none answers. */
  readonly cluster: ReachableCluster | undefined;
  readonly settings: ProxySettings;
  readonly trustAnchors: InjectingMesh['trustAnchors'] | undefined;
  /** Why there is no cluster, for those who need one. */
  readonly whyNone: string;
}

export interface ReachableCluster extends Pick<KubeContext, 'client' | 'namespace'> {
  readonly signal: AbortSignal;
}

/** How long an API server may take to show that it is there: most commands can do without it. */
const patienceMs = 10_000;

const ConfigMap = Type.Object({ data: Type.Optional(Type.Record(Type.String(), Type.String())) });

/** Reads settings and trust anchors: from files that are named, else from the cluster, else an installation's defaults. */
export const findMesh = async (options: InjectOptions, surroundings: Surroundings): Promise<MeshAtHand> => {
  const namespace = controlPlaneNamespace(options, surroundings);
  const reached = await reachCluster(options, surroundings);
  const cluster = reached.kind === 'cluster' ? reached.cluster : undefined;
  const read = async (name: string, key: string): Promise<string | undefined> =>
    cluster === undefined ? undefined : (await configMap(cluster, namespace, name))?.[key];
  const settingsText =
    options.settings === undefined
      ? await read('gatehouse-config', 'proxy.json')
      : await readText(options.settings, surroundings);
  const anchors =
    options.trustAnchors === undefined
      ? await read('gatehouse-trust-roots', 'ca-bundle.crt')
      : await readText(options.trustAnchors, surroundings);
  const where = options.settings ?? `ConfigMap ${namespace}/gatehouse-config: proxy.json`;
  return {
    cluster,
    settings:
      settingsText === undefined
        ? { ...defaultProxySettings, controlPlaneNamespace: namespace }
        : parseSettings(settingsText, where),
    trustAnchors:
      anchors === undefined
        ? undefined
        : checkAnchors(anchors, options.trustAnchors ?? 'gatehouse-trust-roots'),
    whyNone:
      reached.kind === 'none'
        ? reached.why
        : `there is no ConfigMap ${namespace}/gatehouse-trust-roots in the cluster`,
  };
};

type Reached =
  | { readonly kind: 'cluster'; readonly cluster: ReachableCluster }
  | { readonly kind: 'none'; readonly why: string };

const reachCluster = async (options: InjectOptions, { env, interrupted }: Surroundings): Promise<Reached> => {
  if (options.ignoreCluster === true) return { kind: 'none', why: '--ignore-cluster' };
  const isNamed = options.kubeconfig !== undefined || options.context !== undefined;
  const late = AbortSignal.timeout(patienceMs);
  try {
    const context = await openKubeContext({
      kubeconfig: options.kubeconfig ?? env.KUBECONFIG,
      context: options.context,
    });
    const { client } = context;
    const signal = AbortSignal.any([interrupted, late]);
    await client.request({ path: '/version', signal }).catch((cause: unknown) => {
      if (!late.aborted || interrupted.aborted) throw cause;
      const seconds = patienceMs / 1000;
      throw new GatehouseError('unavailable', `${client.server} does not answer within ${seconds} s`, {
        cause,
      });
    });
    const cluster = { client, namespace: context.namespace, signal: interrupted };
    return { kind: 'cluster', cluster };
  } catch (thrown) {
    if (interrupted.aborted) throw thrown;
    const error = asGatehouseError(thrown);
    // A cluster that was named must be the one that is asked.
    if (isNamed) throw error;
    return { kind: 'none', why: error.message };
  }
};

const configMap = async (
  { client, signal }: ReachableCluster,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>> | undefined> => {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${name}`;
  return (await getObject(client, { path, schema: ConfigMap, signal }))?.data;
};

const readText = (file: string, { workingDirectory }: Surroundings): Promise<string> =>
  readFile(resolve(workingDirectory, file), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError(
      'failed-precondition',
      `${file} cannot be read (${cause.code}): correct its name`,
      { cause },
    );
  });

const parseSettings = (text: string, where: string): ProxySettings => {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (cause) {
    throw new GatehouseError('failed-precondition', `${where} is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const outcome = parseProxySettings(written);
  if (outcome.ok) return outcome.value;
  throw new GatehouseError(
    'failed-precondition',
    `${where}: ${outcome.problems.map(printProblem).join('; ')}`,
  );
};

/** What the proxy will read: at least one certificate, and no private key, which has no business in a pod's environment. */
const checkAnchors = (text: string, where: string): InjectingMesh['trustAnchors'] => {
  const refuse = (why: string): never => {
    throw new GatehouseError('failed-precondition', `${where} ${why}`);
  };
  if (text.includes('PRIVATE KEY-----')) refuse('holds a private key: name the file of the roots alone');
  const bundle = readPemBundle(text);
  if (!bundle.ok) return refuse(bundle.problems.map(printProblem).join('; '));
  const { pem } = bundle.value;
  return { pem, sha256: createHash('sha256').update(pem).digest('hex') };
};
