import { highestPort } from '@gatehouse/core/port-set';
import type { Problem } from '@gatehouse/core/problem';
import type { ContainerPort, PodSpec, UnreadPart } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern, internValue } from '../intern.ts';
import { describe, type Fields } from './fields.ts';
import { readAddress, readAddresses } from './ip-list.ts';
import { readOwner } from './pod-owner.ts';
import { readProbes } from './pod-probes.ts';
import { readProxy } from './pod-proxy.ts';
import { isPortName } from './port-selector.ts';
import { type Read, readCore, type Wire } from './read.ts';
import { readTime } from './time.ts';

const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

interface Containers {
  /**
   * Those that serve: the pod's containers, then its sidecars, which are init containers that are restarted. Kubernetes looks
   * for a Service's named port in this order.
   */
  readonly serving: readonly Fields[];
  /** Those that end before the others start. */
  readonly init: readonly Fields[];
}

const readContainers = (spec: Fields): Containers => {
  const listed = (list: string): readonly Fields[] => spec.eachFields(list, (container) => container) ?? [];
  const isSidecar = (container: Fields): boolean =>
    container.oneOf('restartPolicy', ['Always', 'OnFailure', 'Never']) === 'Always';
  const [sidecars, init]: [Fields[], Fields[]] = [[], []];
  for (const container of listed('initContainers')) (isSidecar(container) ? sidecars : init).push(container);
  return { serving: [...listed('containers'), ...sidecars], init };
};

const fixName = 'at most 15 lower-case letters, digits and `-`, a letter among them';

/** TCP ports only: the mesh governs nothing else. */
const readPorts = (container: Fields): readonly ContainerPort[] =>
  container.eachFields('ports', (port) => {
    const protocol = port.oneOf('protocol', protocols) ?? 'TCP';
    const number = port.port('containerPort');
    if (protocol !== 'TCP' || number === undefined) return undefined;
    const hostPort = port.whole('hostPort', 0, highestPort) ?? 0;
    const name = intern(port.text('name') ?? '');
    if (name !== '' && !isPortName(name))
      port.refuse('name', `${describe(name)} is not a valid port's name`, fixName);
    return { name, port: number, ...(hostPort === 0 ? {} : { hostPort }) };
  }) ?? [];

/** Of init containers too: their proxy may run before them, and what policies name by a port's name closes theirs as well. */
const readAllPorts = ({ serving, init }: Containers): readonly ContainerPort[] => [
  ...serving.flatMap(readPorts),
  ...init.flatMap(readPorts).map((port) => ({ ...port, init: true }) as const),
];

/** Lists of `{ip}`, as the pod's status has them. */
const readIps = (status: Fields, list: string, single: string): readonly string[] =>
  readAddresses(status, {
    list,
    single,
    item: (value, item) => {
      const fields = status.open(value, item);
      return fields === undefined ? undefined : readAddress(fields, 'ip', fields.raw('ip'));
    },
  });

/** A condition that cannot be read may be the one that says otherwise. */
const readReady = (status: Fields): boolean => {
  const known = status.problems.length;
  const ready = status.eachFields('conditions', (condition) =>
    condition.text('type') === 'Ready' ? condition.text('status') === 'True' : undefined,
  );
  return status.problems.length === known && (ready?.at(-1) ?? false);
};

/** Whether containers are known and not one of them runs or will: init containers count, as sidecars are such. */
const readTerminated = (status: Fields): boolean => {
  const ended = (name: string): readonly boolean[] =>
    status.eachFields(name, (container) => container.fields('state')?.fields('terminated') !== undefined) ??
    [];
  const containers = ended('containerStatuses');
  return containers.length > 0 && [...containers, ...ended('initContainerStatuses')].every(Boolean);
};

/** Notes what of a pod is there and cannot be read, by the problems that its readers find. */
class UnreadParts {
  readonly #problems: readonly Problem[];
  readonly #parts = new Set<UnreadPart>();

  constructor(problems: readonly Problem[]) {
    this.#problems = problems;
  }

  /** What the reader makes of it, which is part of what those parts say. */
  read<T>(parts: readonly UnreadPart[], reader: () => T): T {
    const known = this.#problems.length;
    const value = reader();
    if (this.#problems.length > known) for (const part of parts) this.#parts.add(part);
    return value;
  }

  get noted(): Pick<PodSpec, 'unread'> {
    return this.#parts.size === 0 ? {} : { unread: [...this.#parts].sort() };
  }
}

const readSpec = (body: Fields, { meta }: Wire): PodSpec => {
  const unread = new UnreadParts(body.problems);
  const spec = unread.read(['serviceAccountName', 'hostNetwork', 'ports'], () => body.part('spec'));
  const status = unread.read(['phase'], () => body.part('status'));
  const containers = unread.read(['ports'], () => readContainers(spec));
  const ports = unread.read(['ports'], () => readAllPorts(containers));
  const { probes, unopened, ...shut } = readProbes(containers.serving);
  const owner = readOwner(body.part('metadata'), meta.labels);
  const startedAt = readTime(status, 'startTime');
  return {
    serviceAccount: unread.read(['serviceAccountName'], () => readAccount(spec)),
    nodeName: intern(spec.text('nodeName') ?? ''),
    ips: readIps(status, 'podIPs', 'podIP'),
    hostIps: internValue(readIps(status, 'hostIPs', 'hostIP')),
    hostNetwork: unread.read(['hostNetwork'], () => spec.flag('hostNetwork') ?? false),
    phase: unread.read(['phase'], () => status.oneOf('phase', phases) ?? 'Unknown'),
    ready: readReady(status),
    ...(startedAt === undefined ? {} : { startedAt }),
    terminated: unread.read(['phase'], () => readTerminated(status)),
    ports: internValue(ports),
    probes: internValue(probes),
    ...(unopened === undefined ? {} : { unopened: internValue(unopened) }),
    ...shut,
    ...(owner === undefined ? {} : { owner: internValue(owner) }),
    hostname: spec.text('hostname') ?? '',
    subdomain: intern(spec.text('subdomain') ?? ''),
    ...readProxy([...containers.serving, ...containers.init]),
    ...unread.noted,
  };
};

const readAccount = (spec: Fields): string =>
  intern(spec.text('serviceAccountName') || spec.text('serviceAccount') || 'default');

export const parsePod = (wire: Wire): Read<PodSpec> => readCore(wire, (body) => readSpec(body, wire));
