import { type Problem, parsed, problem } from '@gatehouse/core/problem';
import type { ValueForm } from './config.ts';
import { type Config, optionalSetting, setting } from './config.ts';
import { count, dnsName, duration, hostPort, oneOf, path, portSetForm } from './setting-forms.ts';

/** Where the objects come from. Dev mode is exactly a directory source (design §5.1). */
export type SourceSetting =
  | { readonly kind: 'kubernetes' }
  | { readonly kind: 'directory'; readonly path: string };

const source: ValueForm<SourceSetting> = {
  form: '`kubernetes` or `directory:PATH`',
  read: (text, field) => {
    if (text === 'kubernetes') return parsed({ kind: 'kubernetes' });
    const folder = text.startsWith('directory:') ? text.slice('directory:'.length) : '';
    return folder === ''
      ? problem(field, `\`${text}\` is not a valid source`, 'use kubernetes or directory:PATH')
      : parsed({ kind: 'directory', path: folder });
  },
};

/** `kubectl` reads several files as one, and an empty list as none. */
const kubeconfigFiles: ValueForm<string> = { form: 'paths, joined by `:`', read: (text) => parsed(text) };

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What every service reads; only the ports and a bound differ. A service accepts no setting that it does not use. */
export const sharedSettings = ({
  grpc,
  admin,
  callsPerConnection = 10_000,
}: {
  readonly grpc: number;
  readonly admin: number;
  /** A gateway has a stream for each of its targets on one connection. */
  readonly callsPerConnection?: number;
}) => ({
  source: setting({
    variable: 'GATEHOUSE_SOURCE',
    value: source,
    fallback: 'kubernetes',
    sentence: 'Where manifests come from; Kubernetes is found as kubectl finds it, a folder means dev mode.',
  }),
  kubeconfig: optionalSetting({
    variable: 'KUBECONFIG',
    value: kubeconfigFiles,
    absent: "`~/.kube/config`, else the pod's own ServiceAccount",
    sentence: 'How the cluster is reached when the source is Kubernetes.',
  }),
  namespace: setting({
    variable: 'GATEHOUSE_NAMESPACE',
    value: dnsName,
    fallback: 'gatehouse',
    sentence: 'The namespace of the control plane; part of every identity.',
  }),
  trustDomain: setting({
    variable: 'GATEHOUSE_TRUST_DOMAIN',
    value: dnsName,
    fallback: 'cluster.local',
    sentence: 'The end of every identity; meshes that share trust anchors must differ in it.',
  }),
  grpcAddress: setting({
    variable: 'GATEHOUSE_GRPC_ADDR',
    value: hostPort,
    fallback: `0.0.0.0:${grpc}`,
    sentence: 'Where proxies reach the service.',
  }),
  grpcTls: setting({
    variable: 'GATEHOUSE_GRPC_TLS',
    value: oneOf(['auto', 'always']),
    fallback: 'auto',
    sentence: '`auto` serves plaintext on loopback and TLS anywhere else, `always` TLS on loopback too.',
  }),
  grpcMaxConnections: optionalSetting({
    variable: 'GATEHOUSE_GRPC_MAX_CONNECTIONS',
    value: count,
    absent: "one for each 64 KiB of the process's heap limit",
    sentence:
      'How many connections of clients may be open at once; then the address with most of them gives up its oldest to others.',
  }),
  grpcMaxCalls: optionalSetting({
    variable: 'GATEHOUSE_GRPC_MAX_CALLS',
    value: count,
    absent: "one for each 64 KiB of the process's heap limit",
    sentence:
      'How many calls, streams included, may be open at once; then the address with most of them gives up its oldest to others.',
  }),
  grpcMaxCallsPerAddress: optionalSetting({
    variable: 'GATEHOUSE_GRPC_MAX_CALLS_PER_ADDRESS',
    value: count,
    absent: 'half of `GATEHOUSE_GRPC_MAX_CALLS`',
    sentence:
      'How many calls may be open from one IPv4 address or one /64 of IPv6; more are answered ResourceExhausted.',
  }),
  grpcMaxCallsPerConnection: setting({
    variable: 'GATEHOUSE_GRPC_MAX_CALLS_PER_CONNECTION',
    value: count,
    fallback: `${callsPerConnection}`,
    sentence:
      'How many calls may be open on one connection; more are answered ResourceExhausted. A gateway opens one for each of its targets.',
  }),
  adminAddress: setting({
    variable: 'GATEHOUSE_ADMIN_ADDR',
    value: hostPort,
    fallback: `0.0.0.0:${admin}`,
    sentence: 'Where `/live`, `/ready`, `/metrics` and the REST API are served.',
  }),
  adminMaxConnections: setting({
    variable: 'GATEHOUSE_ADMIN_MAX_CONNECTIONS',
    value: count,
    fallback: '1024',
    sentence:
      'How many connections the admin port keeps open; then the address with most of them loses its oldest.',
  }),
  drainDelayMs: setting({
    variable: 'GATEHOUSE_DRAIN_DELAY',
    value: duration,
    fallback: '0s',
    sentence:
      'How long the service goes on after SIGTERM, not ready but serving as before, until DNS has forgotten it; for pods without a preStop hook that waits.',
  }),
  stateDir: optionalSetting({
    variable: 'GATEHOUSE_STATE_DIR',
    value: path,
    absent: 'none; a directory source needs one, a cluster does without',
    sentence: 'The folder of the embedded CA, the dev keys and tokens, and the issuance log.',
  }),
  trustAnchors: optionalSetting({
    variable: 'GATEHOUSE_TRUST_ANCHORS',
    value: path,
    absent: '`/var/run/gatehouse/trust-roots/ca-bundle.crt`; `STATE/trust-anchors.crt` in dev mode',
    sentence: 'The PEM bundle of roots that certificates must chain to.',
  }),
  podName: optionalSetting({
    variable: 'GATEHOUSE_POD_NAME',
    value: dnsName,
    absent: "the host's name, which in a pod is the pod's unless it has a `hostname` or the host's network",
    sentence: 'Which pod this is (`metadata.name`): how a replica tells itself from the others.',
  }),
  logLevel: setting({
    variable: 'GATEHOUSE_LOG_LEVEL',
    value: oneOf(logLevels),
    fallback: 'info',
    sentence: 'The least severe level that is logged.',
  }),
  logFormat: optionalSetting({
    variable: 'GATEHOUSE_LOG_FORMAT',
    value: oneOf(['json', 'pretty']),
    absent: '`json`; `pretty` on a terminal',
    sentence: 'One JSON object a line for programs, or lines for people.',
  }),
});

export type SharedConfig = Config<ReturnType<typeof sharedSettings>>;

/** What is wrong with the settings of all services taken together; a service's own check adds to it. */
export const sharedProblems = ({ source, stateDir }: SharedConfig): readonly Problem[] => {
  switch (source.kind) {
    case 'kubernetes':
      return [];
    case 'directory':
      return stateDir === undefined
        ? [
            {
              field: 'GATEHOUSE_STATE_DIR',
              found: 'is not set',
              fix: 'a directory source needs a folder for keys',
            },
          ]
        : [];
  }
};

/** What destination and policy must agree on about the cluster's traffic. */
export const trafficSettings = {
  clusterDomain: setting({
    variable: 'GATEHOUSE_CLUSTER_DOMAIN',
    value: dnsName,
    fallback: 'cluster.local',
    sentence: 'The DNS suffix of Service names.',
  }),
  defaultOpaquePorts: setting({
    variable: 'GATEHOUSE_DEFAULT_OPAQUE_PORTS',
    value: portSetForm,
    fallback: '25,587,3306,4444,5432,6379,9300,11211',
    sentence: 'Ports whose protocols cannot be detected because the server speaks first.',
  }),
};

export type TrafficConfig = Config<typeof trafficSettings>;

/** Where destination and policy obtain their own serving certificate. */
export const leafSettings = {
  identityAddress: optionalSetting({
    variable: 'GATEHOUSE_IDENTITY_ADDR',
    value: hostPort,
    absent: '`gatehouse-identity-headless.NAMESPACE.svc.CLUSTER_DOMAIN.:8080`',
    sentence: 'Where identity answers Certify.',
  }),
  tokenFile: optionalSetting({
    variable: 'GATEHOUSE_TOKEN_FILE',
    value: path,
    absent: '`/var/run/secrets/tokens/linkerd-identity-token`; `STATE/tokens/NAMESPACE/SERVICE` in dev mode',
    sentence: "The projected token that proves this service's ServiceAccount to identity.",
  }),
};

/** Identity's own Service is found below the cluster's domain. */
export type LeafConfig = Config<typeof leafSettings> & Pick<TrafficConfig, 'clusterDomain'>;

/** For services that answer from what they watched. */
export const watchSettings = {
  maxStalenessMs: setting({
    variable: 'GATEHOUSE_MAX_STALENESS',
    value: duration,
    fallback: '90s',
    sentence: 'How long a watch may go without proof of life before its answers count as stale.',
  }),
};
