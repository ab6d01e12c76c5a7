import { isV6 } from '@gatehouse/core/ip-network';
import { selects } from '@gatehouse/core/label-selector';
import { targetPortOn } from '@gatehouse/core/mesh/named-ports';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { EndpointSliceSpec } from '@gatehouse/core/resources/kinds/kubernetes';
import { isHeadless } from '../endpoints/service-port.ts';
import { selectorOf } from '../endpoints/service-selector.ts';

type Service = KubeObject<'Service'>;
type ExternalWorkload = KubeObject<'ExternalWorkload'>;
type Slice = KubeObject<'EndpointSlice'>;

/** Whose slices these are. Linkerd's own value: what its controller wrote is taken over, not doubled. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'linkerd-external-workloads-controller';

/** As Kubernetes and Linkerd have it. */
const mostEndpoints = 100;

/** An EndpointSlice as it should be. */
export interface DesiredSlice {
  readonly namespace: string;
  readonly name: string;
  readonly service: Service;
  readonly family: 4 | 6;
  readonly ports: readonly SlicePort[];
  /** By name of the workload. */
  readonly endpoints: readonly DesiredEndpoint[];
}

interface SlicePort {
  readonly name: string;
  readonly port: number;
}

export interface DesiredEndpoint {
  readonly workload: ExternalWorkload;
  readonly addresses: readonly string[];
}

/** What is to be written so that the slices of a Service list its ExternalWorkloads; both lists are empty when they do. */
export interface SlicePlan {
  /** Made, or made what they say. */
  readonly put: readonly DesiredSlice[];
  /** Names of those that list no workload any more. */
  readonly remove: readonly string[];
}

/**
 * Plans the EndpointSlices of a Service's ExternalWorkloads: one set for each family and each assignment of ports, a hundred
 * endpoints at most in each. An endpoint stays in the slice in which it is, so that a change of one workload writes one slice.
 * `existing` are the Service's slices that are managed here.
 */
export const planSlices = (
  service: Service,
  workloads: Iterable<ExternalWorkload>,
  existing: readonly Slice[],
): SlicePlan => {
  const groups = groupsOf(service, workloads);
  const taken = new Set(existing.map(({ meta }) => meta.name));
  const put: DesiredSlice[] = [];
  const kept = new Set<string>();
  for (const group of groups) {
    const fitting = existing.filter(({ spec }) => keyOf(spec) === keyOf(group)).sort(byName);
    for (const { slice, before } of fill(service, group, { fitting, taken })) {
      kept.add(slice.name);
      if (before === undefined || !saysTheSame(slice, before.spec)) put.push(slice);
    }
  }
  const remove = existing.map(({ meta }) => meta.name).filter((name) => !kept.has(name));
  return { put, remove };
};

/** Those that share a family and ports, and so a slice. */
interface Group {
  readonly family: 4 | 6;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly DesiredEndpoint[];
}

const groupsOf = (service: Service, workloads: Iterable<ExternalWorkload>): readonly Group[] => {
  const groups = new Map<string, Group & { readonly endpoints: DesiredEndpoint[] }>();
  for (const workload of selectedBy(service, workloads)) {
    const ports = portsOn(service, workload);
    for (const family of familiesOf(service)) {
      const addresses = workload.spec.ips.filter((ip) => isV6(ip) === (family === 6));
      if (addresses.length === 0 || ports.length === 0) continue;
      const key = keyOf({ family, ports });
      let group = groups.get(key);
      if (group === undefined) {
        group = { family, ports, endpoints: [] };
        groups.set(key, group);
      }
      group.endpoints.push({ workload, addresses });
    }
  }
  return [...groups.values()];
};

/** A Service that is going, an alias, or one without selector has no slices from here. */
const selectedBy = (service: Service, workloads: Iterable<ExternalWorkload>): readonly ExternalWorkload[] => {
  const { meta, spec } = service;
  const wanted = selectorOf(service);
  if (wanted === undefined || spec.type === 'ExternalName' || meta.deletedAt !== undefined) return [];
  return [...workloads]
    .filter((workload) => workload.meta.namespace === meta.namespace)
    .filter((workload) => workload.meta.deletedAt === undefined && selects(wanted, workload.meta.labels))
    .sort(byName);
};

/** A headless Service is read without its families: it takes the addresses that its workloads have. */
const familiesOf = (service: Service): readonly (4 | 6)[] => {
  if (isHeadless(service)) return [4, 6];
  const families = new Set(service.spec.clusterIps.map((ip) => (isV6(ip) ? 6 : 4)));
  return [...families];
};

/** A port whose name a workload does not have is not served by it. */
const portsOn = ({ spec }: Service, workload: ExternalWorkload): readonly SlicePort[] =>
  spec.ports.flatMap(({ name, targetPort }) => {
    const port = targetPortOn(workload.spec, targetPort);
    return port === undefined ? [] : [{ name, port }];
  });

const keyOf = ({ family, ports }: Pick<EndpointSliceSpec, 'family' | 'ports'>): string =>
  JSON.stringify([family, ports.map(({ name, port }) => [name, port]).sort()]);

interface Filled {
  readonly slice: DesiredSlice;
  readonly before: Slice | undefined;
}

/** Leaves each workload in the slice that lists it, and puts the others where there is room, then into new slices. */
const fill = (
  service: Service,
  { family, ports, endpoints }: Group,
  { fitting, taken }: { readonly fitting: readonly Slice[]; readonly taken: Set<string> },
): readonly Filled[] => {
  const left = new Map(endpoints.map((endpoint) => [endpoint.workload.meta.name, endpoint]));
  const rooms: {
    readonly before: Slice | undefined;
    readonly name: string;
    readonly list: DesiredEndpoint[];
  }[] = fitting.map((before) => {
    const list: DesiredEndpoint[] = [];
    for (const { target } of before.spec.endpoints) {
      const endpoint = target?.kind === 'ExternalWorkload' ? left.get(target.name) : undefined;
      if (endpoint === undefined || list.length === mostEndpoints) continue;
      left.delete(endpoint.workload.meta.name);
      list.push(endpoint);
    }
    return { before, name: before.meta.name, list };
  });
  for (const endpoint of left.values()) {
    // The fullest that has room, so that those which empty can go.
    let room = rooms
      .filter(({ list }) => list.length < mostEndpoints)
      .sort((a, b) => b.list.length - a.list.length)[0];
    if (room === undefined) {
      room = { before: undefined, name: newName(service, taken), list: [] };
      rooms.push(room);
    }
    room.list.push(endpoint);
  }
  const { namespace } = service.meta;
  return rooms
    .filter(({ list }) => list.length > 0)
    .map(({ before, name, list }) => ({
      before,
      slice: { namespace, name, service, family, ports, endpoints: list },
    }));
};

const longestName = 253;

/** The same on every replica: the next writer finds what the last one began. */
const newName = ({ meta }: Service, taken: Set<string>): string => {
  for (let index = 0; ; index += 1) {
    const ending = `-${index}`;
    const name = `linkerd-external-${meta.name}`.slice(0, longestName - ending.length) + ending;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
};

const saysTheSame = ({ endpoints }: DesiredSlice, before: EndpointSliceSpec): boolean =>
  endpoints.length === before.endpoints.length &&
  endpoints.every(({ workload, addresses }, index) => {
    const listed = before.endpoints[index];
    return (
      listed?.target?.name === workload.meta.name &&
      listed.ready === workload.spec.ready &&
      JSON.stringify(listed.addresses) === JSON.stringify(addresses)
    );
  });

const byName = (a: KubeObject, b: KubeObject): number => compareText(a.meta.name, b.meta.name);
