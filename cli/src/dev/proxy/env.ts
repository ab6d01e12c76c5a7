import type { ValueForm } from '@gatehouse/shared/config';
import { parseDuration } from '@gatehouse/shared/core/duration';
import { type HostPort, isLoopback, printHostPort } from '@gatehouse/shared/core/host-port';
import type { IpNetwork } from '@gatehouse/shared/core/ip-network';
import { type Parsed, type Problem, parsed, printProblem, problem } from '@gatehouse/shared/core/problem';
import { GatehouseError } from '@gatehouse/shared/error';
import { dnsName, duration, hostPort, networks, path } from '@gatehouse/shared/setting-forms';
import { type DefaultPolicy, parseDefaultPolicy } from './default-policy.ts';

/** One service of the control plane: where it is, and the name its certificate must have (undefined = plaintext). */
export interface ControlAddress {
  readonly address: HostPort;
  readonly name: string | undefined;
}

/** A port of this pod: what the proxy listens on itself, since nothing is redirected to it, and the application behind. */
export interface InboundPort {
  readonly listen: HostPort;
  readonly app: HostPort;
}

/** How long a stream of the control plane may take or live; undefined = for ever (contract/proxy.md §2.5). */
export interface StreamLimits {
  readonly initialMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly lifetimeMs: number | undefined;
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
  /** `svc.cluster.local`: completes the names that a pod's resolver would complete. */
  readonly serviceSuffix: string;
  readonly defaultPolicy: DefaultPolicy;
  readonly streamLimits: StreamLimits;
  readonly connectTimeoutMs: number;
  readonly detectTimeoutMs: number;
  readonly inbound: readonly InboundPort[];
  /** Undefined = this pod calls nobody. */
  readonly httpProxy: HostPort | undefined;
  readonly admin: HostPort;
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'LINKERD2_PROXY_';
const inboundVariable = 'GATEHOUSE_DEV_INBOUND';

const text: ValueForm<string> = { form: 'text', read: (value) => parsed(value) };

const nonEmpty: ValueForm<string> = {
  form: 'text',
  read: (value, field) =>
    value.trim() === '' ? problem(field, 'is empty', 'give it a value') : parsed(value),
};

const anchors: ValueForm<string> = {
  form: 'PEM certificates',
  read: (value, field) =>
    value.includes('-----BEGIN CERTIFICATE-----')
      ? parsed(value)
      : problem(field, 'holds no certificate', 'give the PEM text itself, not the path of a file'),
};

const limit: ValueForm<number | undefined> = {
  form: duration.form,
  read: (value, field) => (value === '' ? parsed(undefined) : parseDuration(value, field)),
};

const networkList: ValueForm<readonly IpNetwork[]> = {
  form: networks.form,
  read: (value, field) => (value === '' ? parsed([]) : networks.read(value, field)),
};

const inboundPorts: ValueForm<readonly InboundPort[]> = {
  form: 'podIP:port=127.0.0.1:appPort, comma-separated',
  read: (value, field) => {
    const ports: InboundPort[] = [];
    const problems: Problem[] = [];
    for (const item of value.split(',').filter((one) => one !== '')) {
      const [listen = '', app = '', ...rest] = item.trim().split('=');
      const [from, to] = [hostPort.read(listen, field), hostPort.read(app, field)];
      if (rest.length === 0 && from.ok && to.ok && from.value.port !== 0) {
        ports.push({ listen: from.value, app: to.value });
      } else {
        problems.push({
          field,
          found: `\`${item}\` is no pair of addresses`,
          fix: 'write podIP:port=127.0.0.1:appPort',
        });
      }
    }
    const numbers = ports.map(({ listen }) => listen.port);
    if (new Set(numbers).size < numbers.length) {
      problems.push({ field, found: 'names a port twice', fix: 'a pod has each port once' });
    }
    if (new Set(ports.map(({ listen }) => listen.host)).size > 1) {
      problems.push({ field, found: 'names two pod addresses', fix: 'one proxy stands for one pod address' });
    }
    return problems.length > 0 ? { ok: false, problems } : parsed(ports);
  },
};

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
    return { initialMs, idleMs, lifetimeMs };
  }
}

/** The suffix that completes Service names, of `svc.cluster.local.,other.` the first that begins with `svc.`. */
const serviceSuffix: ValueForm<string> = {
  form: 'DNS suffixes, comma-separated',
  read: (value, field) => {
    const suffix = value.split(',').find((one) => one.startsWith('svc.'));
    return dnsName.read((suffix ?? 'svc.cluster.local').replace(/\.$/, ''), field);
  },
};

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
    serviceSuffix: read('DESTINATION_PROFILE_SUFFIXES', serviceSuffix, '', 'svc.cluster.local.'),
    defaultPolicy: read(
      'INBOUND_DEFAULT_POLICY',
      { form: 'a default policy', read: parseDefaultPolicy({ clusterNetworks, detectTimeoutMs }) },
      { kind: 'deny' },
      'all-unauthenticated',
    ),
    streamLimits: reader.limits(),
    connectTimeoutMs: read('OUTBOUND_CONNECT_TIMEOUT', duration, 0, '1s'),
    detectTimeoutMs,
    inbound: reader.read(inboundVariable, inboundPorts, [], ''),
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
