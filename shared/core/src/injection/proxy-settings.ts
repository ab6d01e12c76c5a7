import { nearestWord } from '../nearest-word.ts';
import { type Parsed, type Problem, parsed } from '../problem.ts';
import { defaultPolicies } from '../resources/kinds/linkerd.ts';
import { extraEnvironment } from './extra-environment.ts';
import * as forms from './value-forms.ts';

/** One setting: how it is written, what it is without being written, and what it is for. */
export interface Field<T> {
  readonly form: forms.ValueForm<T>;
  readonly fallback: T;
  readonly sentence: string;
}

const field = <T>(form: forms.ValueForm<T>, fallback: NoInfer<T>, sentence: string): Field<T> => ({
  form,
  fallback,
  sentence,
});

const { orNone } = forms;

/** Where proxies reach one service of the control plane, and under which name it must answer. */
const service = (name: string, account: string, port: number) => ({
  service: field(forms.dnsName, name, `The headless Service in which proxies find ${account}.`),
  port: field(forms.port, port, 'Its gRPC port.'),
  serviceAccount: field(forms.dnsName, account, 'The ServiceAccount whose certificate it must show.'),
});

const resource = (what: string, request: string) => ({
  request: field(orNone(forms.quantity), request, `${what} that a proxy asks for.`),
  limit: field(orNone(forms.quantity), '', `${what} that a proxy may use.`),
});

const pullPolicy = forms.oneOf(['Always', 'IfNotPresent', 'Never']);

/**
 * All that injection needs to know of the mesh and its proxies, once. ConfigMap `gatehouse-config` holds it in a cluster,
 * under the key `proxy.json`. The trust anchors are not here: they are in ConfigMap `gatehouse-trust-roots`.
 */
export const proxySettingFields = {
  controlPlaneNamespace: field(
    forms.dnsName,
    'gatehouse',
    'The namespace of the control plane; part of every identity.',
  ),
  trustDomain: field(forms.dnsName, 'cluster.local', 'The end of every identity.'),
  clusterDomain: field(forms.dnsName, 'cluster.local', 'The DNS suffix of Service names.'),
  clusterNetworks: field(
    forms.networks,
    '10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8',
    'The networks of pods, Services and nodes.',
  ),
  defaultInboundPolicy: field(
    forms.oneOf(defaultPolicies),
    'deny',
    'What the policy service enforces where nothing else speaks; the start value of proxies follows it (design §6.2).',
  ),
  opaquePorts: field(
    orNone(forms.ports),
    '25,587,3306,4444,5432,6379,9300,11211',
    'Ports whose protocols cannot be detected because the server speaks first.',
  ),
  ipv6: field(
    forms.flag,
    false,
    'Whether pods have IPv6 addresses: the proxy then listens on both families.',
  ),
  services: {
    identity: service('gatehouse-identity-headless', 'gatehouse-identity', 8080),
    destination: service('gatehouse-dst-headless', 'gatehouse-destination', 8086),
    policy: service('gatehouse-policy', 'gatehouse-policy', 8090),
  },
  proxy: {
    image: field(forms.imageName, 'cr.l5d.io/linkerd/proxy', 'The image of proxy and proxy-init.'),
    version: field(forms.imageVersion, 'edge-26.8.3', 'Its tag, or its sha256 digest.'),
    pullPolicy: field(pullPolicy, 'IfNotPresent', 'When the image is pulled.'),
    nativeSidecar: field(
      forms.flag,
      true,
      'Whether the proxy is an init container that keeps running (Kubernetes 1.29 and newer), else a container.',
    ),
    await: field(
      forms.flag,
      true,
      'Whether the containers of the application start only when the proxy is ready.',
    ),
    uid: field(forms.userId, 2102, 'The user as which the proxy runs; its traffic alone is not redirected.'),
    gid: field(forms.count, 0, 'The group as which the proxy runs; 0 = the one of the image.'),
    ports: {
      inbound: field(forms.port, 4143, 'Where connections to the pod are redirected to.'),
      outbound: field(forms.port, 4140, 'Where connections of the pod are redirected to.'),
      admin: field(forms.port, 4191, 'Probes and metrics of the proxy.'),
      control: field(forms.port, 4190, 'For `tap`.'),
    },
    resources: {
      cpu: resource('CPU', '50m'),
      memory: resource('Memory', '20Mi'),
      ephemeralStorage: resource('Ephemeral storage', ''),
    },
    workers: {
      minimum: field(
        forms.count,
        1,
        'Threads that the proxy has at least; a CPU request in the annotation raises it.',
      ),
      maximum: field(forms.count, 0, 'Threads that it has at most; 0 = one for each core.'),
      maximumCpuRatio: field(
        forms.ratio,
        0,
        "Threads that it has at most, as a part of the node's cores; 0 = all.",
      ),
    },
    logLevel: field(forms.line, 'warn,linkerd=info,hickory=error', 'What the proxy logs.'),
    logFormat: field(forms.oneOf(['plain', 'json']), 'plain', 'How it logs.'),
    logHttpHeaders: field(
      forms.oneOf(['off', 'insecure']),
      'off',
      'Whether its debug log may hold HTTP headers.',
    ),
    accessLog: field(forms.oneOf(['', 'apache', 'json']), '', 'The form of an access log; empty = none.'),
    inboundConnectTimeout: field(
      forms.duration,
      '100ms',
      "How long a connection to the pod's own application may take.",
    ),
    outboundConnectTimeout: field(forms.duration, '1s', 'How long a connection to another pod may take.'),
    inboundDiscoveryIdleTimeout: field(
      forms.duration,
      '90s',
      'When the policy of an unused port is forgotten.',
    ),
    outboundDiscoveryIdleTimeout: field(
      forms.duration,
      '5s',
      'When what was discovered of an unused target is forgotten.',
    ),
    disableInboundProtocolDetectTimeout: field(
      forms.flag,
      false,
      'Whether detection of a protocol waits for ever, inbound.',
    ),
    disableOutboundProtocolDetectTimeout: field(forms.flag, false, 'Whether it waits for ever, outbound.'),
    enableExternalProfiles: field(
      forms.flag,
      false,
      'Whether ServiceProfiles are asked for of names outside the cluster.',
    ),
    gateway: field(
      forms.flag,
      false,
      'Whether the proxy routes requests for other pods, as a gateway of multicluster does.',
    ),
    hostnameLabels: field(forms.flag, false, 'Whether outbound metrics have the hostname as a label.'),
    shutdownEndpoint: field(
      forms.flag,
      false,
      'Whether POST /shutdown ends the proxy, for Jobs without native sidecars.',
    ),
    shutdownGracePeriod: field(
      orNone(forms.duration),
      '',
      'How long a proxy that ends waits for open connections.',
    ),
    waitBeforeExitSeconds: field(
      forms.count,
      0,
      'How long a plain sidecar goes on after the pod was told to end.',
    ),
    streams: {
      initialTimeout: field(forms.duration, '3s', 'How long the first message of a stream may take.'),
      idleTimeout: field(forms.duration, '5m', 'When a quiet stream is opened anew.'),
      lifetime: field(forms.duration, '1h', 'When any stream is opened anew.'),
    },
    environment: field(extraEnvironment, [], 'Variables beside those that injection writes.'),
  },
  init: {
    cni: field(
      forms.flag,
      false,
      "Whether Linkerd's CNI plugin writes the pod's network rules, so that no init container has to.",
    ),
    iptablesMode: field(
      forms.oneOf(['nft', 'legacy']),
      'nft',
      'Which iptables proxy-init calls; that of the nodes.',
    ),
    skipInboundPorts: field(
      orNone(forms.ports),
      '',
      'Ports of pods that are not redirected to the proxy: no policy holds there.',
    ),
    skipOutboundPorts: field(
      orNone(forms.ports),
      '',
      'Ports of others whose connections are not redirected to the proxy.',
    ),
    skipSubnets: field(
      orNone(forms.networks),
      '',
      'Networks whose connections are not redirected to the proxy.',
    ),
    closeWaitTimeout: field(
      orNone(forms.duration),
      '',
      'The timeout of closed connections in conntrack; the init container is then privileged and runs as root.',
    ),
    runAsRoot: field(
      forms.flag,
      false,
      'Whether proxy-init runs as root, where file capabilities do not work.',
    ),
    logLevel: field(orNone(forms.line), '', 'What proxy-init logs.'),
    logFormat: field(forms.oneOf(['', 'plain', 'json']), '', 'How it logs.'),
  },
  networkValidator: {
    connectAddress: field(
      orNone(forms.line),
      '',
      'What the check of a CNI plugin dials; empty = 1.1.1.1:20001.',
    ),
    timeout: field(forms.duration, '10s', 'How long the check may take.'),
  },
  debug: {
    image: field(forms.imageName, 'cr.l5d.io/linkerd/debug', 'The image of the debug container.'),
    version: field(forms.imageVersion, 'edge-26.8.3', 'Its tag, or its sha256 digest.'),
    pullPolicy: field(pullPolicy, 'IfNotPresent', 'When the image is pulled.'),
  },
} as const;

type Fields = { readonly [name: string]: Field<unknown> | Fields };
type ValuesOf<F> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : ValuesOf<F[K]>;
};

export type ProxySettings = ValuesOf<typeof proxySettingFields>;

const isField = (node: Field<unknown> | Fields): node is Field<unknown> =>
  typeof (node as Field<unknown>).sentence === 'string';

/** A field and where it is: `proxy.ports.admin`. */
export interface PlacedField extends Field<unknown> {
  readonly path: string;
}

const place = (fields: Fields, path: string): readonly PlacedField[] =>
  Object.entries(fields).flatMap(([name, node]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return isField(node) ? [{ ...node, path: at }] : place(node, at);
  });

/** Every setting, in the order of the table: for a reference page, and for commands that set them. */
export const listProxySettings = (): readonly PlacedField[] => place(proxySettingFields, '');

/**
 * Reads what `proxy.json` says, parsed as JSON. What is left out has its default; an unknown field, which would have said
 * something, is a problem. All problems are reported, each by its path.
 */
export const parseProxySettings = (written: unknown, path = ''): Parsed<ProxySettings> => {
  const problems: Problem[] = [];
  const value = readNode(proxySettingFields, written, path, problems) as ProxySettings;
  if (problems.length === 0) problems.push(...sharedPorts(value, path));
  return problems.length > 0 ? { ok: false, problems } : parsed(value);
};

/** Two servers of one proxy cannot listen on one port. */
export const sharedPorts = ({ proxy: { ports } }: ProxySettings, path = ''): readonly Problem[] => {
  const listed = Object.entries(ports);
  return listed.flatMap(([name, port], at) => {
    const [other] = listed.slice(0, at).find(([, each]) => each === port) ?? [];
    return other === undefined
      ? []
      : [
          {
            field: `${path === '' ? '' : `${path}.`}proxy.ports.${name}`,
            found: `${port} is the ${other} port, too`,
            fix: 'give each of inbound, outbound, admin and control a port of its own',
          },
        ];
  });
};

const readNode = (
  node: Field<unknown> | Fields,
  written: unknown,
  path: string,
  problems: Problem[],
): unknown => {
  if (isField(node)) {
    if (written === undefined) return node.fallback;
    const outcome = node.form.readJson(written, path);
    if (outcome.ok) return outcome.value;
    problems.push(...outcome.problems);
    return undefined;
  }
  if (written !== undefined && (typeof written !== 'object' || written === null || Array.isArray(written))) {
    problems.push({
      field: path,
      found: 'is not an object',
      fix: `write an object with ${Object.keys(node).join(', ')}`,
    });
    return undefined;
  }
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const values = (written ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(values).filter((each) => !Object.hasOwn(node, each))) {
    const meant = nearestWord(name, Object.keys(node));
    const fix =
      meant === undefined ? `known here: ${Object.keys(node).join(', ')}` : `${at(meant)} is meant?`;
    problems.push({ field: at(name), found: 'unknown field', fix });
  }
  return Object.fromEntries(
    Object.entries(node).map(([name, child]) => [
      name,
      readNode(child, Object.hasOwn(values, name) ? values[name] : undefined, at(name), problems),
    ]),
  );
};

/** What a fresh installation has. */
export const defaultProxySettings = readNode(proxySettingFields, undefined, '', []) as ProxySettings;
