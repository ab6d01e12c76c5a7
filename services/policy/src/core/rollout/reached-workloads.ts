import { selects } from '@gatehouse/core/label-selector';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { portEnforcement, workloadEnforcement } from '../inbound/enforcement.ts';
import { mayNamePort, type SelectingObject, selectorOf } from '../inbound/rows/policy-index.ts';
import { type Target, workloadOf } from '../inbound/workload-of.ts';

/** A workload whose proxy enforces some of the objects on some of its ports. */
export class ReachedWorkload {
  readonly target: Target;
  readonly #objects: SelectingObject[];
  readonly #facts: Facts;

  constructor(target: Target, object: SelectingObject, facts: Facts) {
    this.target = target;
    this.#objects = [object];
    this.#facts = facts;
  }

  add(object: SelectingObject): void {
    this.#objects.push(object);
  }

  /** Whether what the proxy is told of the port may depend on one of the objects. */
  names(port: number): boolean {
    const workload = workloadOf(this.target);
    return (
      this.#objects.some((object) => mayNamePort(object, workload, port)) &&
      portEnforcement(this.target, port, this.#facts).kind === 'enforced'
    );
  }

  /** Ports that a proxy watches from its start, since containers declare them. */
  get declaredPorts(): readonly number[] {
    return [...new Set(this.target.spec.ports.map(({ port }) => port))].filter((port) => this.names(port));
  }
}

interface Facts {
  readonly mesh: Mesh;
  readonly namespaceAnnotations: Readonly<Record<string, string>>;
}

/** By what names a workload among all. */
export const workloadKey = (kind: Target['kind'], namespace: string, name: string): string =>
  `${kind}/${namespace}/${name}`;

/** Adds the workloads that an object selects and on which a proxy enforces it. */
export const reachWorkloads = (
  reached: Map<string, ReachedWorkload>,
  object: SelectingObject,
  { index, mesh }: { readonly index: Pick<ResourceIndex, 'get' | 'in'>; readonly mesh: Mesh },
): void => {
  const { namespace } = object.meta;
  const namespaceAnnotations = index.get('Namespace', '', namespace)?.meta.annotations ?? {};
  const facts = { mesh, namespaceAnnotations };
  for (const [kind, workloadKind] of [
    ['Pod', undefined],
    ['ExternalWorkload', 'external-workload'],
  ] as const) {
    const selector = selectorOf(object, workloadKind);
    if (selector === undefined) continue;
    for (const target of index.in(kind, namespace).values() as Iterable<Target>) {
      if (!selects(selector, target.meta.labels)) continue;
      if (workloadEnforcement(target, facts).kind !== 'enforced') continue;
      const key = workloadKey(kind, namespace, target.meta.name);
      const known = reached.get(key);
      if (known === undefined) reached.set(key, new ReachedWorkload(target, object, facts));
      else known.add(object);
    }
  }
};
