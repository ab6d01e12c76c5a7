import { namesPort } from '@gatehouse/core/mesh/named-ports';
import { isListedOpaque, opaquePortsAnnotation } from '@gatehouse/core/mesh/opaque-port';
import { bypassOf, skipInboundPortsAnnotation } from '@gatehouse/core/mesh/proxy-bypass';
import { isProxyPort } from '@gatehouse/core/mesh/proxy-ports';
import { hasPort, type PortSet, parsePortSet } from '@gatehouse/core/port-set';
import { requireIdentityAnnotation } from '@gatehouse/core/resources/annotations';
import { isRejected } from '@gatehouse/core/resources/kinds';
import type { Workload } from '../model.ts';
import { asTarget, type ConcerningPolicies, portsOf, type SelectingObject } from './policy-index.ts';

interface PortFacts {
  readonly workload: Workload;
  readonly policies: Pick<ConcerningPolicies, 'servers' | 'networkPolicies'>;
  readonly defaultOpaquePorts: PortSet;
}

/**
 * Which ports of a class of workloads share their row: those that nothing tells apart. A proxy watches every port on which
 * somebody connects to its pod, so 4,000 of them must not be compiled, nor kept, 4,000 times.
 */
export class PortGroups {
  readonly #workload: Workload;
  readonly #objects: readonly SelectingObject[];
  readonly #defaultOpaquePorts: PortSet;
  /** Between two neighbours of these nothing begins or ends, so that one port stands for all up to the next. */
  readonly #boundaries: readonly number[] | 'too many';
  readonly #groups = new Map<number, string>();

  constructor({ workload, policies, defaultOpaquePorts }: PortFacts) {
    this.#workload = workload;
    this.#objects = [...policies.servers, ...policies.networkPolicies];
    this.#defaultOpaquePorts = defaultOpaquePorts;
    this.#boundaries = boundariesOf(workload, this.#objects, defaultOpaquePorts);
  }

  /** Equal for ports that share their row. */
  groupOf(port: number): string {
    if (this.#boundaries === 'too many') return `${port}`;
    const boundary = lastUpTo(this.#boundaries, port);
    const known = this.#groups.get(boundary);
    if (known !== undefined) return known;
    const group = this.#describe(port);
    this.#groups.set(boundary, group);
    return group;
  }

  /** Sorted: between two neighbours of these all ports share their row. Undefined where there are too many to say. */
  get boundaries(): readonly number[] | undefined {
    return this.#boundaries === 'too many' ? undefined : this.#boundaries;
  }

  /** Everything that a port's row depends on and that is not the same for all ports of the class. */
  #describe(port: number): string {
    const { annotations, probes, unopened = [] } = this.#workload;
    const required = parsePortSet(annotations[requireIdentityAnnotation] ?? '');
    return JSON.stringify([
      isProxyPort(this.#workload.proxyPorts, port) ? port : 'usual',
      isListedOpaque(this.#workload, port, this.#defaultOpaquePorts),
      bypassOf(this.#workload, port),
      required.ok && hasPort(required.value, port),
      [...probes, ...unopened].filter((request) => request.port === port),
      this.#objects
        .filter((object) => {
          const named = portsOf(object, this.#workload.kind);
          return named === 'all' || namesPort(named, port, this.#workload);
        })
        .map((object) => `${asTarget(object)} ${isRejected(object.spec)}`)
        .sort(),
    ]);
  }
}

/** Of more every port is by itself: to find out which of them are alike would cost more than to compile them. */
const mostBoundaries = 512;

const boundariesOf = (
  workload: Workload,
  objects: readonly SelectingObject[],
  defaultOpaquePorts: PortSet,
): readonly number[] | 'too many' => {
  const found = new Set<number>();
  const add = (first: number, last: number): void => {
    found.add(first).add(last + 1);
  };
  for (const port of Object.values(workload.proxyPorts)) add(port, port);
  for (const { first, last } of defaultOpaquePorts.ranges) add(first, last);
  for (const { port } of [...workload.ports, ...workload.probes, ...(workload.unopened ?? [])])
    add(port, port);
  for (const object of objects) {
    const named = portsOf(object, workload.kind);
    if (named === 'all') continue;
    if (named.length + found.size > mostBoundaries) return 'too many';
    // Container ports, which names stand for, are boundaries already.
    for (const selector of named) if (selector.kind === 'range') add(selector.first, selector.last);
  }
  for (const annotation of [opaquePortsAnnotation, skipInboundPortsAnnotation, requireIdentityAnnotation]) {
    // Whatever a number in the text means, something may begin or end at it.
    for (const [digits] of (workload.annotations[annotation] ?? '').matchAll(/\d+/g)) {
      add(Number(digits), Number(digits));
      if (found.size > mostBoundaries) return 'too many';
    }
  }
  return found.size > mostBoundaries ? 'too many' : [...found].sort((a, b) => a - b);
};

/** The highest of the sorted numbers that is not above the port; 0 where there is none. */
const lastUpTo = (sorted: readonly number[], port: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= port) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1] ?? 0;
};
