import type { WireObject } from '@gatehouse/testing/real-cluster';

/** What a random pod's manifest says, for the rows of the table of differences. */
interface Container {
  readonly ports?: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

interface ExternalPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
}

interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string };
  readonly grpc?: { readonly port: number };
}

/** The ports of an ExternalWorkload are those of one container, which nothing probes. */
const containersOf = ({ kind, spec }: WireObject): readonly Container[] => {
  if (kind === 'ExternalWorkload') {
    const { ports = [] } = spec as { readonly ports?: readonly ExternalPort[] };
    return [{ ports: ports.map(({ port, ...named }) => ({ ...named, containerPort: port })) }];
  }
  const { containers, initContainers = [] } = spec as Record<string, readonly Container[]>;
  return [...(containers ?? []), ...initContainers];
};

/** The TCP ports of one container, or of all. */
const tcpPorts = (containers: readonly Container[]) =>
  containers.flatMap(({ ports = [] }) => ports).filter(({ protocol = 'TCP' }) => protocol === 'TCP');

export const annotationOf = ({ metadata }: WireObject, name: string): string | undefined =>
  (metadata as { readonly annotations?: Readonly<Record<string, string>> }).annotations?.[
    `config.linkerd.io/${name}`
  ];

export const portsNamed = (pod: WireObject, name: string): readonly number[] =>
  tcpPorts(containersOf(pod))
    .filter((port) => port.name === name)
    .map(({ containerPort }) => containerPort);

export interface PodProbes {
  readonly http: readonly string[];
  readonly https: readonly string[];
  /** HTTP, by the name of a port that is not TCP. */
  readonly byOtherName: readonly string[];
  readonly grpc: boolean;
}

/** The probes on a port, paths without query. */
export const probesOn = (pod: WireObject, port: number): PodProbes => {
  const found = { http: [] as string[], https: [] as string[], byOtherName: [] as string[], grpc: false };
  for (const container of containersOf(pod)) {
    const { livenessProbe, readinessProbe, startupProbe } = container;
    for (const probe of [livenessProbe, readinessProbe, startupProbe]) {
      if (probe?.grpc?.port === port) found.grpc = true;
      if (probe?.httpGet === undefined) continue;
      const [path = ''] = (probe.httpGet.path ?? '/').split('?');
      const isHttps = probe.httpGet.scheme === 'HTTPS';
      const isTcp = portOf(tcpPorts([container]), probe.httpGet.port) === port;
      const isOther = !isTcp && portOf(container.ports ?? [], probe.httpGet.port) === port;
      if (isTcp) (isHttps ? found.https : found.http).push(path);
      if (isOther && !isHttps) found.byOtherName.push(path);
    }
  }
  return found;
};

const portOf = (ports: NonNullable<Container['ports']>, port: number | string): number | undefined =>
  typeof port === 'number'
    ? port
    : ports.find(({ name = '' }) => name.toLowerCase() === port.toLowerCase())?.containerPort;
