import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { skippedPorts } from '@gatehouse/core/mesh/proxy-bypass';
import { highestPort, type PortRange, portSet } from '@gatehouse/core/port-set';
import type { Workload } from '../inbound/model.ts';

/** Ports of a pod that something names, as a person looks for them: one, or several that nothing tells apart. */
export interface ListedPort extends PortRange {
  /** Names of container ports. */
  readonly names: readonly string[];
  /** Whether a container declares it. */
  readonly declared: boolean;
}

export interface ListedPorts {
  /** By number. */
  readonly ports: readonly ListedPort[];
  /** How many more there would be. */
  readonly leftOut: number;
  /** A port that nothing names, which stands for all such; undefined where every port is named. */
  readonly other: number | undefined;
}

interface PortsToList {
  readonly workload: Pick<Workload, 'ports' | 'probes' | 'proxyPorts' | 'unopened' | 'annotations'>;
  /** Whether a proxy stands before the ports, which then has one of its own that callers use. */
  readonly isMeshed: boolean;
  /** Which ports each policy object names that selects the pod. */
  readonly named: readonly (readonly PortSelector[] | 'all')[];
  /** Where rows may begin to differ; undefined = not known. */
  readonly boundaries: readonly number[] | undefined;
  readonly limit: number;
}

/** As the injector calls the admin port of the proxy. */
export const adminPortName = 'linkerd-admin';

/** More ranges of policies than this are not put in order. */
const mostRanges = 1_000;

/**
 * The ports of a pod that its containers declare, its probes call, its policies name or its annotation takes from the proxy,
 * and the proxy's admin port, where metrics are scraped. The proxy's other two are not called by anyone who would look here.
 */
export const listedPorts = ({
  workload,
  isMeshed,
  named,
  boundaries = [],
  limit,
}: PortsToList): ListedPorts => {
  const { inbound, control, admin } = workload.proxyPorts;
  const own = new Set(
    [...workload.ports, ...workload.probes, ...(workload.unopened ?? [])]
      .map(({ port }) => port)
      .filter((port) => port !== inbound && port !== control),
  );
  if (isMeshed) own.add(admin);
  const ranges = [
    ...skippedPorts(workload.annotations).ranges,
    ...named.flatMap((ports) =>
      ports === 'all' ? [] : ports.flatMap((port) => (port.kind === 'range' ? [port] : [])),
    ),
  ];
  const single = (port: number): PortRange => ({ first: port, last: port });
  const wanted = [...[...own].map(single), ...ranges.slice(0, mostRanges)];
  const { inside, outside } = spansOf(wanted, [...boundaries, ...edgesOf([inbound, control, admin])]);
  const isOwn = ({ first }: PortRange): boolean => own.has(first);
  // What the pod itself says comes before what policies say about it, however much that is.
  const kept = new Set([...inside.filter(isOwn), ...inside.filter((span) => !isOwn(span))].slice(0, limit));
  return {
    ports: inside
      .filter((span) => kept.has(span))
      .map((span) => {
        const declared = workload.ports.filter(({ port }) => span.first <= port && port <= span.last);
        const names = new Set(declared.map(({ name }) => name).filter((name) => name !== ''));
        if (isMeshed && names.size === 0 && span.first === admin) names.add(adminPortName);
        return { ...span, names: [...names].sort(), declared: declared.length > 0 };
      }),
    leftOut: inside.length - kept.size + Math.max(0, ranges.length - mostRanges),
    other: outside.toSorted((a, b) => b.last - b.first - (a.last - a.first))[0]?.first,
  };
};

const edgesOf = (ports: readonly number[]): readonly number[] => ports.flatMap((port) => [port, port + 1]);

/** All ports, cut where one of the wanted ranges or what the boundaries are of begins or ends. */
const spansOf = (
  wanted: readonly PortRange[],
  boundaries: readonly number[],
): { readonly inside: readonly PortRange[]; readonly outside: readonly PortRange[] } => {
  const edges = new Set([1, highestPort + 1, ...boundaries]);
  for (const { first, last } of wanted) edges.add(first).add(last + 1);
  const sorted = [...edges].filter((edge) => edge >= 1 && edge <= highestPort + 1).sort((a, b) => a - b);
  const { ranges } = portSet(wanted);
  const [inside, outside]: [PortRange[], PortRange[]] = [[], []];
  let at = 0;
  for (const [index, first] of sorted.slice(0, -1).entries()) {
    const span = { first, last: (sorted[index + 1] ?? first + 1) - 1 };
    while ((ranges[at]?.last ?? highestPort) < first) at += 1;
    ((ranges[at]?.first ?? highestPort + 1) <= first ? inside : outside).push(span);
  }
  return { inside, outside };
};
