import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { identityOf, type Mesh, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { StateDir } from '@gatehouse/platform/state/state-dir';
import { replaceFile } from '@gatehouse/platform/state/state-files';
import { readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import { findPod } from '../folder/dev-token.ts';
import { Child } from './child.ts';
import { proxyScript } from './demo-paths.ts';
import { type DemoServices, demoNetworks } from './demo-services.ts';
import type { EventHub } from './event-hub.ts';
import { findFreePorts } from './free-ports.ts';
import { requireFree } from './require-free.ts';
import type { StorySource } from './story-source.ts';
import { startWorkload, type Workload } from './workload.ts';

const namespace = 'demo';

/** A pod of the story: its application runs here, its proxy in a process of its own. */
export interface DemoPod {
  /** `frontend-0` */
  readonly name: string;
  readonly address: string;
  readonly identity: string;
  /** `127.0.0.1:port`: the pod's forward proxy, where its application sends its calls. */
  readonly httpProxy: string;
  /** `http://127.0.0.1:port` of the proxy. */
  readonly admin: string;
  readonly proxy: Child;
  readonly workload: Workload;
}

export interface PodsOptions {
  readonly state: StateDir;
  readonly source: StorySource;
  readonly index: ResourceIndex;
  readonly mesh: Mesh;
  readonly services: DemoServices;
  readonly hub: EventHub;
}

const tokenHalfLifeMs = 1_800_000;

/** Writes the pod's token where its proxy looks for it, as kubelet would. */
const projectToken = async ({ state, source, index }: PodsOptions, name: string): Promise<void> => {
  const token = await source.tokenOf({ namespace, name }, index);
  await replaceFile(state.tokenFile(namespace, name), 'private', token);
};

/** Writes every pod's token; what comes back writes them again at half their life, so that certificates can be renewed. */
export const projectTokens = async (
  options: PodsOptions,
  names: readonly string[],
): Promise<(signal: AbortSignal) => Promise<void>> => {
  const all = (): Promise<unknown> => Promise.all(names.map((name) => projectToken(options, name)));
  await all();
  return async (signal) => {
    const aborted = (): void => undefined;
    while (!signal.aborted) {
      await sleep(tokenHalfLifeMs, undefined, { signal }).catch(aborted);
      if (!signal.aborted) await all();
    }
  };
};

/** Starts one pod: its application on free loopback ports, and its proxy in front of it at the pod's own address. */
export const startPod = async (options: PodsOptions, name: string): Promise<DemoPod> => {
  const { state, source, index, mesh, services, hub } = options;
  const { pod } = findPod(index, { namespace, name });
  const [address] = pod.spec.ips;
  if (address === undefined) throw new GatehouseError('internal', `pod ${name} has no address`);
  for (const { port } of pod.spec.ports) await requireFree(address, port);
  const workload = await startWorkload({
    name,
    listen: pod.spec.ports.map(() => ({ host: '127.0.0.1', port: 0 })),
  });
  const [outbound, admin] = (await findFreePorts(2)).map((port) => `127.0.0.1:${port}`);
  if (outbound === undefined || admin === undefined) throw new GatehouseError('internal', 'no free ports');
  const home = join(state.root, 'pods', name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const identity = printIdentity(identityOf(mesh, namespace, pod.spec.serviceAccount));
  const proxy = new Child({
    name: `${name}'s proxy`,
    script: proxyScript,
    logFile: join(state.root, 'logs', `${name}.log`),
    onLine: (line) => hub.take(name, line),
    env: {
      ...controlPlane(services),
      LINKERD2_PROXY_IDENTITY_DIR: home,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: state.tokenFile(namespace, name),
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: identity,
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: await readTrustAnchors(source.trustAnchors),
      LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '1s',
      LINKERD2_PROXY_POLICY_WORKLOAD: JSON.stringify({ ns: namespace, pod: name }),
      LINKERD2_PROXY_DESTINATION_CONTEXT: JSON.stringify({
        ns: namespace,
        nodeName: pod.spec.nodeName,
        pod: name,
      }),
      LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS: demoNetworks,
      LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES: 'svc.cluster.local.',
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
      LINKERD2_PROXY_INBOUND_PORTS: pod.spec.ports.map(({ port }) => port).join(','),
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: admin,
      GATEHOUSE_DEV_INBOUND: pod.spec.ports
        .map(({ port }, at) => `${address}:${port}=${workload.addresses[at]}`)
        .join(','),
      GATEHOUSE_DEV_HTTP_PROXY: outbound,
    },
  });
  proxy.start();
  return { name, address, identity, httpProxy: outbound, admin: `http://${admin}`, proxy, workload };
};

const controlPlane = ({ identity, destination, policy }: DemoServices): Readonly<Record<string, string>> => ({
  LINKERD2_PROXY_IDENTITY_SVC_ADDR: identity.grpc,
  LINKERD2_PROXY_IDENTITY_SVC_NAME: identity.name,
  LINKERD2_PROXY_DESTINATION_SVC_ADDR: destination.grpc,
  LINKERD2_PROXY_DESTINATION_SVC_NAME: destination.name,
  LINKERD2_PROXY_POLICY_SVC_ADDR: policy.grpc,
  LINKERD2_PROXY_POLICY_SVC_NAME: policy.name,
});

export const stopPod = async ({ proxy, workload }: DemoPod): Promise<void> => {
  await proxy.stop();
  await workload.stop();
};
