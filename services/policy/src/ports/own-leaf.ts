import { readFile } from 'node:fs/promises';
import { isLoopback } from '@gatehouse/shared/core/host-port';
import { identityOf, printIdentity } from '@gatehouse/shared/core/workload-identity';
import { mintDevToken } from '@gatehouse/shared/dev/dev-tokens';
import { defaultUid } from '@gatehouse/shared/kube/default-uid';
import type { Log } from '@gatehouse/shared/log';
import type { Metrics } from '@gatehouse/shared/metrics';
import type { StateDir } from '@gatehouse/shared/state-dir';
import { readStateFile, replaceFile } from '@gatehouse/shared/state-files';
import type { TlsMaterial } from '@gatehouse/shared/tls/material';
import { certifyAs, ServingLeaf } from '@gatehouse/shared/tls/serving-leaf';
import type { PolicyConfig } from '../config.ts';

export interface OwnLeafParts {
  readonly state: StateDir;
  /** Our mesh name. */
  readonly name: string;
  readonly publish: (material: TlsMaterial) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const account = 'gatehouse-policy';

/** The certificate that proxies are shown, obtained from identity like any workload's (design §3). */
export const ownLeaf = (config: PolicyConfig, { state, name, ...parts }: OwnLeafParts): ServingLeaf =>
  new ServingLeaf({
    ...parts,
    trustAnchors: () => readStateFile(config.trustAnchors ?? state.trustAnchors),
    obtain: certifyAs({
      name,
      identity: identityServer(config),
      token: () =>
        config.tokenFile === undefined ? devToken(config, state, parts.now()) : readFile(config.tokenFile),
    }),
  });

/** Identity follows the same rule as we do: plaintext on loopback, unless the mesh is told to use TLS always. */
const identityServer = (config: PolicyConfig) => {
  const { namespace, trustDomain, clusterDomain, grpcTls } = config;
  const address = config.identityAddress ?? {
    host: `gatehouse-identity-headless.${namespace}.svc.${clusterDomain}`,
    port: 8080,
  };
  const mesh = { controlPlaneNamespace: namespace, trustDomain };
  const serverName = printIdentity(identityOf(mesh, namespace, 'gatehouse-identity'));
  return grpcTls === 'auto' && isLoopback(address.host) ? { address } : { address, serverName };
};

/** What kubelet does in a cluster: a fresh token, projected to where the pod would read it. */
const devToken = async (config: PolicyConfig, state: StateDir, now: number): Promise<Uint8Array> => {
  const { namespace } = config;
  const token = await mintDevToken({
    state,
    namespace,
    serviceAccount: { name: account, uid: defaultUid('ServiceAccount', namespace, account) },
    pod: { name: account, uid: defaultUid('Pod', namespace, account) },
    now,
  });
  await replaceFile(state.tokenFile(namespace, account), 'private', token);
  return Buffer.from(token);
};
