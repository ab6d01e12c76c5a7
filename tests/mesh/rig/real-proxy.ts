import { generateKeyPairSync } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { clusterNetworks } from './control-plane.ts';
import { adminPort, inboundPort, outboundPort, proxyUid } from './redirect-rules.ts';
import { Resident } from './resident.ts';

export interface RealProxyOptions {
  readonly binary: string;
  readonly place: string;
  /** Where its key, request and token are; made if missing. */
  readonly folder: string;
  readonly logFile: string;
  readonly namespace: string;
  readonly pod: string;
  readonly identity: string;
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  readonly trustAnchors: string;
  readonly token: string;
  /** Where the services are; and whatever a scenario wants otherwise. */
  readonly env: Readonly<Record<string, string>>;
}

/** Prepares what the injector and linkerd2-proxy-identity prepare (contract/proxy.md §4, §5.1); does not start it. */
export const prepareRealProxy = async (options: RealProxyOptions): Promise<Resident> => {
  const { binary, place, folder, logFile, namespace, pod, identity, addresses, ports } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = {
    'key.p8': privateKey.export({ type: 'pkcs8', format: 'der' }),
    'csr.der': makeCsr(privateKey, identity),
    token: options.token,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    await chown(path, proxyUid, proxyUid);
  }
  await chown(folder, proxyUid, proxyUid);
  return new Resident({
    place,
    command: [binary],
    uid: proxyUid,
    logFile,
    env: {
      LINKERD2_PROXY_LOG: 'warn,linkerd=info',
      LINKERD2_PROXY_CORES: '1',
      LINKERD2_PROXY_IDENTITY_DIR: folder,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: options.trustAnchors,
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: identity,
      LINKERD2_PROXY_POLICY_WORKLOAD: JSON.stringify({ ns: namespace, pod }),
      LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS: clusterNetworks,
      LINKERD2_PROXY_DESTINATION_CONTEXT: JSON.stringify({ ns: namespace, nodeName: '', pod }),
      LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS: clusterNetworks,
      LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES: 'svc.cluster.local.',
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
      LINKERD2_PROXY_INBOUND_PORTS: ports.join(','),
      LINKERD2_PROXY_INBOUND_IPS: addresses.join(','),
      // Pods of one stack have no IPv6 loopback to speak of, but namespaces always do.
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS: `127.0.0.1:${outboundPort},[::1]:${outboundPort}`,
      LINKERD2_PROXY_INBOUND_LISTEN_ADDR: `[::]:${inboundPort}`,
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: `[::]:${adminPort}`,
      LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT: '3s',
      LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT: '5m',
      LINKERD2_PROXY_CONTROL_STREAM_LIFETIME: '1h',
      ...options.env,
    },
  });
};
