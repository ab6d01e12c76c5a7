import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { aKey } from '@gatehouse/dev/certificates';
import { loadYaml } from '@gatehouse/platform/kube/directory/kubernetes-yaml';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { TlsMaterial } from '@gatehouse/platform/tls/material';
import { environmentIn, type PodVariable } from '@gatehouse/testing/pod-environment';
import type { ClusterServer, RealCluster, WireObject } from '@gatehouse/testing/real-cluster';
import type { InstalledControlPlane } from './installed-control-plane.ts';

/** A pod as the API server has it, with what its proxy is told and what it obtained with it. */
export interface MeshedPod {
  readonly app: string;
  readonly ip: string;
  readonly env: Readonly<Record<string, string>>;
  readonly leaf: TlsMaterial;
  /** The DNS SANs of the leaf, by which its peers know it. */
  readonly name: string;
}

/** What a pod's start comes to: kubelet says that it runs, and its proxy obtains a certificate. */
export const startMeshedPod = async (
  cluster: RealCluster<ClusterServer>,
  installed: InstalledControlPlane,
  made: WireObject,
  ip: string,
): Promise<MeshedPod> => {
  const {
    name: podName,
    namespace,
    labels,
  } = made.metadata as {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  await setRunning(cluster, made, ip);
  const env = environmentIn(proxyOf(made)?.env ?? [], {
    'metadata.name': podName,
    'metadata.namespace': namespace,
    'spec.serviceAccountName': 'default',
    'status.podIPs': ip,
  });
  const server = installed.serverFor('identity', env);
  const leaf = await certify({
    server,
    trustAnchors: server.security.trustAnchors,
    name: env.LINKERD2_PROXY_IDENTITY_LOCAL_NAME ?? '',
    key: aKey(),
    token: Buffer.from(await cluster.token(made, audienceOf(made))),
  });
  const names = new X509Certificate(leaf.chain[0] ?? Buffer.of()).subjectAltName ?? '';
  return { app: labels.app ?? '', ip, env, leaf, name: names.replaceAll('DNS:', '') };
};

/** As kubelet reports it. */
export const setRunning = (
  cluster: RealCluster<ClusterServer>,
  { metadata }: WireObject,
  ip: string,
): Promise<WireObject> => {
  const { name, namespace } = metadata as WireObject;
  const conditions = [{ type: 'Ready', status: 'True' }];
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions };
  return cluster.setStatus({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, status });
};

/** What a command printed. */
export const objectsIn = (text: string): readonly WireObject[] => {
  const loaded = loadYaml(text);
  assert.ok(loaded.ok, text);
  return loaded.value as readonly WireObject[];
};

/** There is no kube-proxy: the API server calls a Service of this type by its name, on the port that a webhook says. */
export const withoutKubeProxy = (object: WireObject, port: number): WireObject => {
  const { kind, metadata, webhooks } = object as {
    readonly kind: string;
    readonly metadata: WireObject;
    readonly webhooks?: readonly { readonly clientConfig: { readonly service: WireObject } }[];
  };
  if (kind === 'Service' && metadata.name === 'gatehouse-webhook')
    return { ...object, spec: { type: 'ExternalName', externalName: 'localhost' } };
  if (webhooks === undefined) return object;
  return {
    ...object,
    webhooks: webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { service: { ...webhook.clientConfig.service, port } },
    })),
  };
};

export const proxyOf = (
  pod: WireObject | undefined,
): { readonly env: readonly PodVariable[] } | undefined => {
  const { initContainers = [] } = (pod?.spec ?? {}) as {
    readonly initContainers?: readonly { readonly name: string; readonly env: readonly PodVariable[] }[];
  };
  return initContainers.find(({ name }) => name === 'linkerd-proxy');
};

/** The audience of the token that kubelet mounts for the proxy. */
const audienceOf = (pod: WireObject): string => {
  const { volumes = [] } = pod.spec as {
    readonly volumes?: readonly {
      readonly projected?: {
        readonly sources: readonly { readonly serviceAccountToken?: { readonly audience?: string } }[];
      };
    }[];
  };
  const [audience] = volumes
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken }) => serviceAccountToken?.audience ?? []);
  assert(audience !== undefined, 'the pod mounts a token for identity');
  return audience;
};
