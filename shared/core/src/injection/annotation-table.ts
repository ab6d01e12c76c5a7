import type { Labels } from '../label-selector.ts';
import { nearestWord } from '../nearest-word.ts';
import type { Problem } from '../problem.ts';
import { parseQuantity } from '../quantity.ts';
import { type ExtraVariable, extraEnvironment, mergeVariables } from './extra-environment.ts';
import { listProxySettings, type ProxySettings } from './proxy-settings.ts';
import * as forms from './value-forms.ts';

const prefix = 'config.linkerd.io/';

/** Annotations of a pod or its namespace that override one setting of its proxy, by the setting's path. */
const overrides: Readonly<Record<string, string>> = {
  'proxy-image': 'proxy.image',
  'proxy-version': 'proxy.version',
  'image-pull-policy': 'proxy.pullPolicy',
  'debug-image': 'debug.image',
  'debug-image-version': 'debug.version',
  'debug-image-pull-policy': 'debug.pullPolicy',
  'inbound-port': 'proxy.ports.inbound',
  'outbound-port': 'proxy.ports.outbound',
  'admin-port': 'proxy.ports.admin',
  'control-port': 'proxy.ports.control',
  'skip-inbound-ports': 'init.skipInboundPorts',
  'skip-outbound-ports': 'init.skipOutboundPorts',
  'skip-subnets': 'init.skipSubnets',
  'close-wait-timeout': 'init.closeWaitTimeout',
  'proxy-cpu-request': 'proxy.resources.cpu.request',
  'proxy-cpu-limit': 'proxy.resources.cpu.limit',
  'proxy-cpu-ratio-limit': 'proxy.workers.maximumCpuRatio',
  'proxy-memory-request': 'proxy.resources.memory.request',
  'proxy-memory-limit': 'proxy.resources.memory.limit',
  'proxy-ephemeral-storage-request': 'proxy.resources.ephemeralStorage.request',
  'proxy-ephemeral-storage-limit': 'proxy.resources.ephemeralStorage.limit',
  'proxy-uid': 'proxy.uid',
  'proxy-gid': 'proxy.gid',
  'proxy-admin-shutdown': 'proxy.shutdownEndpoint',
  'proxy-log-level': 'proxy.logLevel',
  'proxy-log-http-headers': 'proxy.logHttpHeaders',
  'proxy-log-format': 'proxy.logFormat',
  'enable-external-profiles': 'proxy.enableExternalProfiles',
  'proxy-metrics-hostname-labels': 'proxy.hostnameLabels',
  'proxy-outbound-connect-timeout': 'proxy.outboundConnectTimeout',
  'proxy-inbound-connect-timeout': 'proxy.inboundConnectTimeout',
  'proxy-outbound-discovery-cache-unused-timeout': 'proxy.outboundDiscoveryIdleTimeout',
  'proxy-inbound-discovery-cache-unused-timeout': 'proxy.inboundDiscoveryIdleTimeout',
  'proxy-disable-outbound-protocol-detect-timeout': 'proxy.disableOutboundProtocolDetectTimeout',
  'proxy-disable-inbound-protocol-detect-timeout': 'proxy.disableInboundProtocolDetectTimeout',
  'enable-gateway': 'proxy.gateway',
  'proxy-enable-native-sidecar': 'proxy.nativeSidecar',
  'proxy-await': 'proxy.await',
  'default-inbound-policy': 'defaultInboundPolicy',
  'access-log': 'proxy.accessLog',
  'shutdown-grace-period': 'proxy.shutdownGracePeriod',
};

const workersOf: Readonly<Record<string, string>> = {
  'proxy-cpu-request': 'proxy.workers.minimum',
  'proxy-cpu-limit': 'proxy.workers.maximum',
};

/** Annotations that say something else than a setting, and how each is written. */
const others = {
  'opaque-ports': forms.orNone(forms.portsOrNames),
  'pod-inbound-ports': forms.orNone(forms.ports),
  'proxy-require-identity-inbound-ports': forms.orNone(forms.ports),
  'enable-debug-sidecar': forms.flag,
  'proxy-additional-env': extraEnvironment,
  'admission-webhooks': forms.line,
} as const;

const sentences: Readonly<Record<keyof typeof others, string>> = {
  'opaque-ports':
    "Ports whose protocol is not detected, in place of the cluster's list; on a Service: for its clients.",
  'pod-inbound-ports':
    'Ports whose policy the proxy watches from its start on, in place of those that the pod declares.',
  'proxy-require-identity-inbound-ports':
    'Ports on which policy admits nobody without a certificate of the mesh.',
  'enable-debug-sidecar': 'Whether a container with tools is added.',
  'proxy-additional-env':
    "Variables of the proxy, as JSON: merged by name, the pod's over its namespace's over the cluster's.",
  'admission-webhooks': 'Nothing here; as a label of a namespace, `disabled` keeps webhooks out of it.',
};

/** Earlier names, which manifests of Linkerd have; the first that is there counts, after the name of today. */
const earlierNames: Readonly<Record<string, readonly string[]>> = {
  'proxy-enable-native-sidecar': [
    'config.beta.linkerd.io/proxy-enable-native-sidecar',
    'config.alpha.linkerd.io/proxy-enable-native-sidecar',
  ],
};
const waitBeforeExit = 'config.alpha.linkerd.io/proxy-wait-before-exit-seconds';

/** What all of a pod's annotations make of the settings. */
export interface PodSettings {
  readonly settings: ProxySettings;
  /** Undefined where no annotation says it. */
  readonly opaquePorts: string | undefined;
  readonly podInboundPorts: string | undefined;
  readonly defaultInboundPolicy: string | undefined;
  readonly debug: boolean;
  readonly problems: readonly Problem[];
  /** Names that look like ours and mean nothing. */
  readonly warnings: readonly string[];
}

const fieldsByPath = new Map(listProxySettings().map((field) => [field.path, field]));

/** An annotation that configures a proxy, for the reference page. */
export interface ProxyAnnotation {
  readonly name: string;
  readonly form: string;
  readonly sentence: string;
  /** Of the setting that it overrides; empty where it is none. */
  readonly path: string;
}

const overriding = (name: string, path: string): ProxyAnnotation => {
  const field = fieldsByPath.get(path);
  return { name, path, form: field?.form.form ?? '', sentence: field?.sentence ?? '' };
};

/** All of them, by name. */
export const proxyAnnotations = (): readonly ProxyAnnotation[] =>
  [
    ...Object.entries(overrides).map(([name, path]) => overriding(prefix + name, path)),
    ...Object.entries(others).map(([name, { form }]) => ({
      name: prefix + name,
      form,
      sentence: sentences[name as keyof typeof others],
      path: '',
    })),
    overriding(waitBeforeExit, 'proxy.waitBeforeExitSeconds'),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The settings with one of them replaced. */
const withValue = <T>(settings: T, path: readonly string[], value: unknown): T => {
  const [name, ...rest] = path;
  if (name === undefined) return value as T;
  const inner = (settings as Readonly<Record<string, unknown>>)[name];
  return { ...settings, [name]: withValue(inner, rest, value) };
};

/**
 * Reads the annotations that a pod bears once it has those of its namespace. `whose` says for messages whose an annotation
 * is. A value that means nothing is a problem that names annotation, value and fix: an injector that went on with its default
 * would run something else than what was asked for.
 */
export const readProxyAnnotations = (
  annotations: Labels,
  settings: ProxySettings,
  whose: (name: string) => string,
): PodSettings => {
  const problems: Problem[] = [];
  const read = <T>(name: string, form: forms.ValueForm<T>): T | undefined => {
    const text = annotations[name];
    if (text === undefined) return undefined;
    const outcome = form.readText(text, whose(name));
    if (outcome.ok) return outcome.value;
    problems.push(...outcome.problems);
    return undefined;
  };
  let result = settings;
  const set = (path: string, value: unknown): void => {
    if (value !== undefined) result = withValue(result, path.split('.'), value);
  };
  for (const [short, path] of Object.entries(overrides)) {
    const names = [prefix + short, ...(earlierNames[short] ?? [])];
    const name = names.find((each) => annotations[each] !== undefined);
    const form = fieldsByPath.get(path)?.form;
    if (name === undefined || form === undefined || path === 'defaultInboundPolicy') continue;
    const value = read(name, form);
    set(path, value);
    // The proxy takes whole threads: of what is asked for and allowed, rounded up.
    const workers = workersOf[short];
    if (workers !== undefined && typeof value === 'string' && value !== '') {
      const cores = parseQuantity(value);
      if (cores.ok) set(workers, Math.ceil(cores.value));
    }
  }
  set('proxy.waitBeforeExitSeconds', read(waitBeforeExit, forms.count));
  const extra = read(`${prefix}proxy-additional-env`, others['proxy-additional-env']) ?? [];
  set('proxy.environment', mergeVariables<ExtraVariable>(settings.proxy.environment, extra));
  read(`${prefix}proxy-require-identity-inbound-ports`, others['proxy-require-identity-inbound-ports']);
  const policyField = fieldsByPath.get('defaultInboundPolicy');
  const policyForm = (policyField?.form ?? forms.line) as forms.ValueForm<string>;
  return {
    settings: result,
    opaquePorts: read(`${prefix}opaque-ports`, others['opaque-ports']),
    podInboundPorts: read(`${prefix}pod-inbound-ports`, others['pod-inbound-ports']),
    defaultInboundPolicy: read(`${prefix}default-inbound-policy`, policyForm),
    debug: read(`${prefix}enable-debug-sidecar`, others['enable-debug-sidecar']) === true,
    problems,
    warnings: unknownNames(annotations, whose),
  };
};

const known = [...Object.keys(overrides), ...Object.keys(others)];

const unknownNames = (annotations: Labels, whose: (name: string) => string): readonly string[] =>
  Object.keys(annotations).flatMap((name) => {
    if (!name.startsWith(prefix) || known.includes(name.slice(prefix.length))) return [];
    const meant = nearestWord(name.slice(prefix.length), known);
    const hint = meant === undefined ? '' : `: ${prefix}${meant} is meant?`;
    return [`${whose(name)} means nothing to Gatehouse${hint}`];
  });
