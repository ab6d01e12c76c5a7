import { GatehouseError } from '@gatehouse/core/error';
import { type HostPort, isLoopback, printHostPort } from '@gatehouse/core/host-port';
import type { EnforcedServer } from '@gatehouse/core/inbound/evaluate-inbound';
import type { IpNetwork } from '@gatehouse/core/ip-network';
import { type Parsed, type Problem, parsed, printProblem, problem } from '@gatehouse/core/problem';
import type { StreamLimits } from '@gatehouse/platform/grpc/watch';
import type { ValueForm } from '@gatehouse/platform/settings/config';
import { dnsName, duration, hostPort, path } from '@gatehouse/platform/settings/setting-forms';
import { denyAll, parseDefaultPolicy } from './default-policy.ts';
import {
  anchors,
  clusterDomain,
  firstIp,
  type InboundPort,
  inboundPorts,
  limit,
  networkList,
  nonEmpty,
  text,
} from './env-forms.ts';

/** One service of the control plane: where it is, and the name its certificate must have (undefined = plaintext). */
export interface ControlAddress {
  readonly address: HostPort;
  readonly name: string | undefined;
}

export interface ProxyConfig {
  readonly identity: ControlAddress;
  readonly destination: ControlAddress;
  readonly policy: ControlAddress;
  readonly identityDir: string;
  readonly tokenFile: string;
  readonly localName: string;
  /** PEM text. */
  readonly trustAnchors: string;
  readonly minRefreshMs: number;
  readonly maxRefreshMs: number;
  /** Sent verbatim. */
  readonly policyWorkload: string;
  /** Sent verbatim. */
  readonly destinationContext: string;
  readonly profileNetworks: readonly IpNetwork[];
  /** Completes the names that a pod's resolver would complete. */
  readonly clusterDomain: string;
  readonly defaultPolicy: EnforcedServer;
  readonly streamLimits: StreamLimits;
  readonly connectTimeoutMs: number;
  /** How long what is known of a target outlives its last use. */
  readonly discoveryIdleMs: number;
  readonly detectTimeoutMs: number;
  /** The pod's own address, from which it dials; undefined = whatever the system takes. */
  readonly podIp: string | undefined;
  readonly inbound: readonly InboundPort[];
  /** Undefined = this pod calls nobody. */
  readonly httpProxy: HostPort | undefined;
  readonly admin: HostPort;
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'LINKERD2_PROXY_';
const inboundVariable = 'GATEHOUSE_DEV_INBOUND';

/** Reads one variable after another and remembers every problem. */
class Reader {
  readonly problems: Problem[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Answers `instead` for what could not be read; it is never used, since any problem stops the start. */
  read<T>(variable: string, form: ValueForm<T>, instead: T, fallback?: string): T {
    const value = this.#env[variable] ?? fallback;
    const outcome: Parsed<T> =
      value === undefined
        ? problem(variable, 'is not set', `set it: ${form.form}`)
        : form.read(value, variable);
    if (outcome.ok) return outcome.value;
    this.problems.push(...outcome.problems);
    return instead;
  }

  /** `…_SVC_ADDR` and `…_SVC_NAME`. Plaintext is for loopback only, as in contract/proxy.md §3.1. */
  service(name: 'IDENTITY' | 'DESTINATION' | 'POLICY'): ControlAddress {
    const [at, named] = [`${prefix}${name}_SVC_ADDR`, `${prefix}${name}_SVC_NAME`];
    const address = this.read(at, hostPort, { host: '', port: 0 });
    if (this.#env[named] !== undefined) return { address, name: this.read(named, dnsName, '') };
    if (address.host !== '' && !isLoopback(address.host)) {
      this.problems.push({
        field: named,
        found: `is not set, and ${printHostPort(address)} is not on loopback`,
        fix: `${at} and ${named} must be set together`,
      });
    }
    return { address, name: undefined };
  }

  limits(): StreamLimits {
    const name = (which: string): string => `${prefix}CONTROL_STREAM_${which}`;
    const initialMs = this.read(name('INITIAL_TIMEOUT'), limit, undefined, '');
    const idleMs = this.read(name('IDLE_TIMEOUT'), limit, undefined, '');
    const lifetimeMs = this.read(name('LIFETIME'), limit, undefined, '');
    if ((initialMs ?? 0) > (idleMs ?? Infinity) || (idleMs ?? 0) > (lifetimeMs ?? Infinity)) {
      this.problems.push({
        field: name('*'),
        found: 'are not in order',
        fix: 'INITIAL_TIMEOUT at most IDLE_TIMEOUT, that at most LIFETIME',
      });
    }
    return {
      ...(initialMs === undefined ? {} : { initialMs }),
      ...(idleMs === undefined ? {} : { idleMs }),
      ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    };
  }
}

/**
 * Reads the proxy's environment: linkerd2-proxy's variables as far as a reference needs them (contract/proxy.md §5.1),
 * and the two `GATEHOUSE_DEV_` ones that stand in for the redirection of a pod's traffic. Throws one
 * `invalid-argument` that names every problem.
 */
export const readProxyConfig = (env: Environment): ProxyConfig => {
  const reader = new Reader(env);
  const read = <T>(name: string, form: ValueForm<T>, instead: T, fallback?: string): T =>
    reader.read(`${prefix}${name}`, form, instead, fallback);
  const noAddress: HostPort = { host: '', port: 0 };
  const clusterNetworks = read('POLICY_CLUSTER_NETWORKS', networkList, [], '');
  const defaultName = env[`${prefix}INBOUND_DEFAULT_POLICY`];
  const detectTimeoutMs = read('INBOUND_DETECT_TIMEOUT', duration, 0, '10s');
  const inbound = reader.read(inboundVariable, inboundPorts, [], '');
  const config: ProxyConfig = {
    identity: reader.service('IDENTITY'),
    destination: reader.service('DESTINATION'),
    policy: reader.service('POLICY'),
    identityDir: read('IDENTITY_DIR', path, ''),
    tokenFile: read('IDENTITY_TOKEN_FILE', path, ''),
    localName: read('IDENTITY_LOCAL_NAME', dnsName, ''),
    trustAnchors: read('IDENTITY_TRUST_ANCHORS', anchors, ''),
    minRefreshMs: read('IDENTITY_MIN_REFRESH', duration, 0, '10s'),
    maxRefreshMs: read('IDENTITY_MAX_REFRESH', duration, 0, '1d'),
    policyWorkload: read('POLICY_WORKLOAD', nonEmpty, ''),
    destinationContext: read('DESTINATION_CONTEXT', text, '', ''),
    profileNetworks: read('DESTINATION_PROFILE_NETWORKS', networkList, [], ''),
    clusterDomain: read('DESTINATION_PROFILE_SUFFIXES', clusterDomain, '', 'svc.cluster.local.'),
    defaultPolicy: read(
      'INBOUND_DEFAULT_POLICY',
      { form: 'a default policy', read: parseDefaultPolicy({ clusterNetworks, detectTimeoutMs }) },
      denyAll,
      'all-unauthenticated',
    ),
    streamLimits: reader.limits(),
    connectTimeoutMs: read('OUTBOUND_CONNECT_TIMEOUT', duration, 0, '1s'),
    discoveryIdleMs: read('OUTBOUND_DISCOVERY_IDLE_TIMEOUT', duration, 0, '5s'),
    detectTimeoutMs,
    podIp: read('INBOUND_IPS', firstIp, undefined, '') ?? inbound[0]?.listen.host,
    inbound,
    httpProxy: reader.read(
      'GATEHOUSE_DEV_HTTP_PROXY',
      {
        ...hostPort,
        read: (value, field) => (value === '' ? parsed(undefined) : hostPort.read(value, field)),
      },
      noAddress as HostPort | undefined,
      '',
    ),
    admin: read('ADMIN_LISTEN_ADDR', hostPort, noAddress, '127.0.0.1:4191'),
    warnings:
      defaultName === undefined
        ? [`${prefix}INBOUND_DEFAULT_POLICY is not set: all-unauthenticated until policy is known`]
        : [],
  };
  if (reader.problems.length > 0) {
    const lines = reader.problems.map((one) => `  ${printProblem(one)}`).join('\n');
    throw new GatehouseError('invalid-argument', `the proxy's environment cannot be used:\n${lines}`);
  }
  return Object.freeze(config);
};
