import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { configName } from '@gatehouse/manifests/objects/config-map';
import { issuerName, trustRootsName } from '@gatehouse/manifests/objects/trust';
import { type KubeClient, openKubeContext } from '@gatehouse/platform/kube/client/client';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type TSchema, Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { getObject } from '../../reach/get-object.ts';
import type { ClusterOptions } from './install-options.ts';

/** What an installation in the cluster has already. */
export interface Installed {
  /** The bundle of trust anchors, PEM. */
  readonly anchors: string | undefined;
  /** The issuer's certificate and chain, PEM. */
  readonly issuer: string | undefined;
  /** What install or upgrade was given last; undefined where no ConfigMap says it. */
  readonly given: WireObject | undefined;
}

/** The cluster of the kubeconfig; undefined when none is known. Throws when the kubeconfig cannot be used. */
export const openCluster = async (
  { kubeconfig, context }: ClusterOptions,
  { env, workingDirectory }: Surroundings,
): Promise<KubeClient | undefined> => {
  const file = kubeconfig === undefined ? env.KUBECONFIG : resolve(workingDirectory, kubeconfig);
  try {
    return (await openKubeContext({ kubeconfig: file, context })).client;
  } catch (thrown) {
    if (thrown instanceof GatehouseError && thrown.details.missing === 'kubeconfig') return undefined;
    throw thrown;
  }
};

const Texts = Type.Optional(Type.Record(Type.String(), Type.String()));
const Data = Type.Object({ data: Texts });

/** Reads what an installation in `namespace` has. Throws what the API server says when it cannot be asked or does not let us. */
export const readInstalled = async (
  client: KubeClient,
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<Installed> => {
  const get = (plural: string, name: string) => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${name}`;
    return getObject(client, { path, schema: Data satisfies TSchema, signal });
  };
  const [roots, issuer, config] = await Promise.all([
    get('configmaps', trustRootsName),
    get('secrets', issuerName),
    get('configmaps', configName),
  ]);
  const certificate = issuer?.data?.['tls.crt'];
  return {
    anchors: roots?.data?.['ca-bundle.crt'],
    issuer: issuer === undefined ? undefined : Buffer.from(certificate ?? '', 'base64').toString('utf8'),
    given: config === undefined ? undefined : readGiven(config.data?.['values.json'] ?? '', namespace),
  };
};

const readGiven = (text: string, namespace: string): WireObject => {
  try {
    const value: unknown = JSON.parse(text);
    if (isWireObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new GatehouseError(
    'failed-precondition',
    `ConfigMap ${namespace}/${configName} holds no values.json that can be read: restore it, or delete the ConfigMap ` +
      'and run gatehouse install with all values',
  );
};
