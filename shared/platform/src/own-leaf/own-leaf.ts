import { readFile } from 'node:fs/promises';
import { isLoopback } from '@gatehouse/core/host-port';
import { printServiceName } from '@gatehouse/core/mesh/service-authority';
import { identityOf, printIdentity, type WorkloadIdentity } from '@gatehouse/core/mesh/workload-identity';
import { defaultUid } from '../kube/directory/default-uid.ts';
import type { EventRecorder } from '../kube/write/events.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Platform } from '../service/platform.ts';
import { accountOf, type ServiceName } from '../service/service.ts';
import type { LeafConfig, SharedConfig } from '../settings/settings.ts';
import { mintDevToken } from '../state/dev-tokens.ts';
import type { StateDir } from '../state/state-dir.ts';
import { replaceFile } from '../state/state-files.ts';
import { readTrustAnchors } from '../tls/pem-bundle.ts';
import { certifyAs, ServingLeaf } from './serving-leaf.ts';

export interface OwnLeafParts {
  readonly service: ServiceName;
  readonly platform: Platform;
  /** Our own. */
  readonly identity: WorkloadIdentity;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
}

/** What a leaf needs of the service that shows it, however it is obtained. */
export const leafParts = ({
  log,
  events,
  metrics,
  now,
  elapsed,
}: Pick<OwnLeafParts, 'log' | 'events' | 'metrics' | 'now' | 'elapsed'>) => ({
  log: log.child({ part: 'own leaf' }),
  events,
  metrics,
  now,
  elapsed,
});

/** The certificate that proxies are shown, obtained from identity like any workload's (design §3). */
export const ownLeaf = (config: SharedConfig & LeafConfig, parts: OwnLeafParts): ServingLeaf =>
  new ServingLeaf({
    ...leafParts(parts),
    trustAnchors: () => readTrustAnchors(config.trustAnchors ?? usualAnchors(parts.platform)),
    obtain: certifyAs({
      name: printIdentity(parts.identity),
      identity: identityServer(config),
      token: () => ownToken(config, parts),
      now: parts.now,
    }),
  });

/** Identity follows the same rule as we do: plaintext on loopback, unless the mesh is told to use TLS always. */
const identityServer = (config: SharedConfig & LeafConfig) => {
  const { namespace, trustDomain, clusterDomain, grpcTls } = config;
  const address = config.identityAddress ?? {
    // The dot at the end keeps resolvers from trying it below each of the pod's search domains first.
    host: `${printServiceName({ namespace, name: 'gatehouse-identity-headless' }, clusterDomain)}.`,
    port: 8080,
  };
  const mesh = { controlPlaneNamespace: namespace, trustDomain };
  const serverName = printIdentity(identityOf(mesh, namespace, accountOf('identity')));
  return grpcTls === 'auto' && isLoopback(address.host) ? { address } : { address, serverName };
};

/** Where our own manifests mount the ConfigMap with the trust bundle (design §3). */
export const mountedAnchors = '/var/run/gatehouse/trust-roots/ca-bundle.crt';

const usualAnchors = (platform: Platform): string =>
  platform.kind === 'dev' ? platform.state.trustAnchors : mountedAnchors;

/** Where injected pods have theirs, and so we too (contract/proxy.md §5.1). */
const projectedToken = '/var/run/secrets/tokens/linkerd-identity-token';

/** Read again each time: kubelet replaces it long before it expires. */
const ownToken = (config: SharedConfig & LeafConfig, parts: OwnLeafParts): Promise<Uint8Array> => {
  if (config.tokenFile !== undefined) return readFile(config.tokenFile);
  if (parts.platform.kind === 'cluster') return readFile(projectedToken);
  return devToken(config.namespace, parts.platform.state, parts);
};

/** What kubelet does in a cluster: a fresh token, projected to where the pod would read it. */
const devToken = async (
  namespace: string,
  state: StateDir,
  { service, now }: OwnLeafParts,
): Promise<Uint8Array> => {
  const account = accountOf(service);
  const token = await mintDevToken({
    state,
    namespace,
    serviceAccount: { name: account, uid: defaultUid('ServiceAccount', namespace, account) },
    pod: { name: account, uid: defaultUid('Pod', namespace, account) },
    now: now(),
  });
  await replaceFile(state.tokenFile(namespace, account), 'private', token);
  return Buffer.from(token);
};
