import { printServiceName, serviceSuffix } from '../mesh/service-authority.ts';
import { identityOf, printIdentity } from '../mesh/workload-identity.ts';
import { type ExtraVariable, mergeVariables } from './extra-environment.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** What the environment of one pod's proxy depends on, beside the settings. */
export interface ProxyFacts {
  readonly mode: 'sidecar' | 'ingress';
  /** PEM, at least one certificate: the proxy reads it once, at its start. */
  readonly trustAnchors: string;
  /** How it decides about a port until policy has spoken, and about ports that nobody watches (design §6.2). */
  readonly defaultInboundPolicy: string;
  /** Ports that it watches from its start on. */
  readonly inboundPorts: string;
  /** Ports whose protocol it does not detect. */
  readonly opaquePorts: string;
}

/** Where the identity's key and signing request are kept; both are made by the image's entrypoint. */
export const identityDirectory = '/var/run/linkerd/identity/end-entity';
export const tokenDirectory = '/var/run/secrets/tokens';
export const tokenName = 'linkerd-identity-token';

/** So long that no detection of a protocol ends by it. */
const forEver = '365d';

type Values = readonly (readonly [name: string, value: string | undefined])[];

const fromField = (name: string, fieldPath: string): ExtraVariable => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

/**
 * The environment of a proxy (contract/proxy.md §3.1 and §5.1). Kubernetes fills in `$(name)` from variables that stand
 * before, so those of the pod come first. Addresses end in a dot: without it the resolver would try the search domains first.
 */
export const proxyEnvironment = (settings: ProxySettings, facts: ProxyFacts): readonly ExtraVariable[] => {
  const { proxy } = settings;
  const own: Values = [
    ['LINKERD2_PROXY_LOG', logOf(settings)],
    ['LINKERD2_PROXY_LOG_FORMAT', proxy.logFormat],
    ['LINKERD2_PROXY_ACCESS_LOG', proxy.accessLog],
    ['LINKERD2_PROXY_CORES', `${Math.max(1, proxy.workers.minimum)}`],
    ['LINKERD2_PROXY_CORES_MIN', `${Math.max(1, proxy.workers.minimum)}`],
    ['LINKERD2_PROXY_CORES_MAX', unlessZero(proxy.workers.maximum)],
    ['LINKERD2_PROXY_CORES_MAX_RATIO', unlessZero(proxy.workers.maximumCpuRatio)],
    ['LINKERD2_PROXY_SHUTDOWN_ENDPOINT_ENABLED', `${proxy.shutdownEndpoint}`],
    ['LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD', proxy.shutdownGracePeriod],
    ...identityValues(settings, facts),
    ...controlPlaneValues(settings),
    ...inboundValues(settings, facts),
    ...outboundValues(settings, facts),
  ];
  const ours: readonly ExtraVariable[] = [
    fromField('_pod_name', 'metadata.name'),
    fromField('_pod_ns', 'metadata.namespace'),
    fromField('_pod_nodeName', 'spec.nodeName'),
    fromField('_pod_sa', 'spec.serviceAccountName'),
    ...own.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [{ name, value }])),
    fromField('LINKERD2_PROXY_INBOUND_IPS', 'status.podIPs'),
    // Empty says that there are none, so that it is not left out.
    { name: 'LINKERD2_PROXY_INBOUND_PORTS', value: facts.inboundPorts },
  ];
  return mergeVariables(ours, proxy.environment);
};

const unlessZero = (value: number): string | undefined => (value === 0 ? undefined : `${value}`);

const logOf = ({ proxy: { logLevel, logHttpHeaders } }: ProxySettings): string =>
  logHttpHeaders === 'insecure' ? logLevel : `${logLevel},[{headers}]=off,[{request}]=off`;

const meshOf = ({ controlPlaneNamespace, trustDomain }: ProxySettings) => ({
  controlPlaneNamespace,
  trustDomain,
});

const identityValues = (settings: ProxySettings, { trustAnchors }: ProxyFacts): Values => [
  ['LINKERD2_PROXY_IDENTITY_DIR', identityDirectory],
  ['LINKERD2_PROXY_IDENTITY_TOKEN_FILE', `${tokenDirectory}/${tokenName}`],
  [
    'LINKERD2_PROXY_IDENTITY_LOCAL_NAME',
    printIdentity(identityOf(meshOf(settings), '$(_pod_ns)', '$(_pod_sa)')),
  ],
  ['LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS', trustAnchors],
];

const controlPlaneValues = (settings: ProxySettings): Values => {
  const { controlPlaneNamespace: namespace, clusterDomain, services, clusterNetworks, proxy } = settings;
  const where = (['identity', 'destination', 'policy'] as const).flatMap((service): Values => {
    const { service: name, port, serviceAccount } = services[service];
    const variable = `LINKERD2_PROXY_${service.toUpperCase()}_SVC`;
    return [
      [`${variable}_ADDR`, `${printServiceName({ namespace, name }, clusterDomain)}.:${port}`],
      [`${variable}_NAME`, printIdentity(identityOf(meshOf(settings), namespace, serviceAccount))],
    ];
  });
  return [
    ...where,
    [
      'LINKERD2_PROXY_DESTINATION_CONTEXT',
      '{"ns":"$(_pod_ns)", "nodeName":"$(_pod_nodeName)", "pod":"$(_pod_name)"}',
    ],
    ['LINKERD2_PROXY_DESTINATION_PROFILE_NETWORKS', clusterNetworks],
    [
      'LINKERD2_PROXY_DESTINATION_PROFILE_SUFFIXES',
      proxy.enableExternalProfiles ? '.' : serviceSuffix(clusterDomain),
    ],
    ['LINKERD2_PROXY_POLICY_WORKLOAD', '{"ns":"$(_pod_ns)", "pod":"$(_pod_name)"}'],
    ['LINKERD2_PROXY_POLICY_CLUSTER_NETWORKS', clusterNetworks],
    ['LINKERD2_PROXY_CONTROL_STREAM_INITIAL_TIMEOUT', proxy.streams.initialTimeout],
    ['LINKERD2_PROXY_CONTROL_STREAM_IDLE_TIMEOUT', proxy.streams.idleTimeout],
    ['LINKERD2_PROXY_CONTROL_STREAM_LIFETIME', proxy.streams.lifetime],
  ];
};

const inboundValues = ({ proxy, ipv6, clusterDomain }: ProxySettings, facts: ProxyFacts): Values => {
  const everywhere = ipv6 ? '[::]' : '0.0.0.0';
  return [
    ['LINKERD2_PROXY_INBOUND_LISTEN_ADDR', `${everywhere}:${proxy.ports.inbound}`],
    ['LINKERD2_PROXY_ADMIN_LISTEN_ADDR', `${everywhere}:${proxy.ports.admin}`],
    ['LINKERD2_PROXY_CONTROL_LISTEN_ADDR', `${everywhere}:${proxy.ports.control}`],
    ['LINKERD2_PROXY_INBOUND_DEFAULT_POLICY', facts.defaultInboundPolicy],
    ['LINKERD2_PROXY_INBOUND_PORTS_DISABLE_PROTOCOL_DETECTION', facts.opaquePorts],
    ['LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT', proxy.inboundConnectTimeout],
    ['LINKERD2_PROXY_INBOUND_DISCOVERY_IDLE_TIMEOUT', proxy.inboundDiscoveryIdleTimeout],
    [
      'LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT',
      proxy.disableInboundProtocolDetectTimeout ? forEver : undefined,
    ],
    ['LINKERD2_PROXY_INBOUND_GATEWAY_SUFFIXES', proxy.gateway ? serviceSuffix(clusterDomain) : undefined],
    ['LINKERD2_PROXY_INBOUND_ACCEPT_KEEPALIVE', '10000ms'],
    ['LINKERD2_PROXY_INBOUND_ACCEPT_USER_TIMEOUT', '30s'],
    ['LINKERD2_PROXY_INBOUND_SERVER_HTTP2_KEEP_ALIVE_INTERVAL', '10s'],
    ['LINKERD2_PROXY_INBOUND_SERVER_HTTP2_KEEP_ALIVE_TIMEOUT', '3s'],
  ];
};

const outboundValues = ({ proxy, ipv6 }: ProxySettings, { mode }: ProxyFacts): Values => [
  [
    'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS',
    `127.0.0.1:${proxy.ports.outbound}${ipv6 ? `,[::1]:${proxy.ports.outbound}` : ''}`,
  ],
  ['LINKERD2_PROXY_INGRESS_MODE', mode === 'ingress' ? 'true' : undefined],
  ['LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT', proxy.outboundConnectTimeout],
  ['LINKERD2_PROXY_OUTBOUND_DISCOVERY_IDLE_TIMEOUT', proxy.outboundDiscoveryIdleTimeout],
  [
    'LINKERD2_PROXY_OUTBOUND_DETECT_TIMEOUT',
    proxy.disableOutboundProtocolDetectTimeout ? forEver : undefined,
  ],
  ['LINKERD2_PROXY_OUTBOUND_CONNECT_KEEPALIVE', '10000ms'],
  ['LINKERD2_PROXY_OUTBOUND_CONNECT_USER_TIMEOUT', '30s'],
  ['LINKERD2_PROXY_OUTBOUND_SERVER_HTTP2_KEEP_ALIVE_INTERVAL', '10s'],
  ['LINKERD2_PROXY_OUTBOUND_SERVER_HTTP2_KEEP_ALIVE_TIMEOUT', '3s'],
  ['LINKERD2_PROXY_OUTBOUND_METRICS_HOSTNAME_LABELS', `${proxy.hostnameLabels}`],
];
