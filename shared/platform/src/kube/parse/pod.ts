import { highestPort } from '@gatehouse/core/port-set';
import type { PodSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { intern, internValue } from '../intern.ts';
import type { Fields } from './fields.ts';
import { readAddress, readAddresses } from './ip-list.ts';
import { readOwner } from './pod-owner.ts';
import { readProbes } from './pod-probes.ts';
import { type Read, readCore, type Wire } from './read.ts';

type ContainerPort = PodSpec['ports'][number];

const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
const proxyContainer = 'linkerd-proxy';
const inboundAddressVariable = 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR';
const defaultInboundPort = 4143;

/** The containers of a pod spec, init containers first: a native sidecar is one of those. */
const readContainers = (spec: Fields): readonly Fields[] =>
  ['initContainers', 'containers'].flatMap((list) => spec.eachFields(list, (container) => container) ?? []);

/** TCP ports only: the mesh governs nothing else. */
const readPorts = (container: Fields): readonly ContainerPort[] =>
  container.eachFields('ports', (port) => {
    const protocol = port.text('protocol') ?? 'TCP';
    const number = port.port('containerPort');
    if (protocol !== 'TCP' || number === undefined) return undefined;
    const hostPort = port.whole('hostPort', 0, highestPort) ?? 0;
    const name = intern(port.text('name') ?? '');
    return { name, port: number, ...(hostPort === 0 ? {} : { hostPort }) };
  }) ?? [];

const readProxyInboundPort = (container: Fields): number | undefined => {
  if (container.text('name') !== proxyContainer) return undefined;
  const values = container.eachFields('env', (variable) =>
    variable.text('name') === inboundAddressVariable ? variable.text('value') : undefined,
  );
  const port = Number(/:(\d{1,5})$/.exec(values?.at(-1) ?? '')?.[1]);
  return port >= 1 && port <= highestPort ? port : undefined;
};

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

const readReady = (status: Fields): boolean =>
  status
    .eachFields('conditions', (condition) =>
      condition.text('type') === 'Ready' ? condition.text('status') === 'True' : undefined,
    )
    ?.at(-1) ?? false;

/** Whether containers are known and not one of them runs or will: init containers count, as sidecars are such. */
const readTerminated = (status: Fields): boolean => {
  const ended = (name: string): readonly boolean[] =>
    status.eachFields(name, (container) => container.fields('state')?.fields('terminated') !== undefined) ??
    [];
  const containers = ended('containerStatuses');
  return containers.length > 0 && [...containers, ...ended('initContainerStatuses')].every(Boolean);
};

const readSpec = (body: Fields, { meta }: Wire): PodSpec => {
  const spec = body.part('spec');
  const status = body.part('status');
  const containers = readContainers(spec);
  const { probes, ...shut } = readProbes(containers);
  const owner = readOwner(body.part('metadata'), meta.labels);
  return {
    serviceAccount: intern(spec.text('serviceAccountName') || spec.text('serviceAccount') || 'default'),
    nodeName: intern(spec.text('nodeName') ?? ''),
    ips: readIps(status, 'podIPs', 'podIP'),
    hostIps: internValue(readIps(status, 'hostIPs', 'hostIP')),
    hostNetwork: spec.flag('hostNetwork') ?? false,
    phase: status.oneOf('phase', phases) ?? 'Unknown',
    ready: readReady(status),
    terminated: readTerminated(status),
    ports: internValue(containers.flatMap(readPorts)),
    probes: internValue(probes),
    ...shut,
    ...(owner === undefined ? {} : { owner: internValue(owner) }),
    hostname: spec.text('hostname') ?? '',
    subdomain: intern(spec.text('subdomain') ?? ''),
    proxyInboundPort:
      containers.map(readProxyInboundPort).find((port) => port !== undefined) ?? defaultInboundPort,
  };
};

export const parsePod = (wire: Wire): Read<PodSpec> => readCore(wire, (body) => readSpec(body, wire));
