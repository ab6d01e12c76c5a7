import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { CompiledPort, Workload } from '../model.ts';
import type { ConcerningPolicies } from './policy-index.ts';
import type { WatchedRow } from './watched-row.ts';

/** Pods that agree in everything that a row depends on (design §6.5): a row is compiled once for all of them. */
export interface WorkloadClass<R> {
  readonly key: string;
  readonly workload: Workload;
  policies: ConcerningPolicies;
  /** The facts that its rows are made of (class-facts.ts). */
  reads: ReadonlySet<string>;
  /** By port; only ports that somebody watches. */
  readonly rows: Map<number, InboundRow<R>>;
}

export interface InboundRow<R> extends WatchedRow<R> {
  readonly class: WorkloadClass<R>;
  readonly port: number;
  compiled: CompiledPort;
}

/** What rows may depend on of a pod; of its labels only those that a selector of its namespace looks at. */
export const workloadOf = ({ meta, spec }: KubeObject<'Pod'>, labelKeys: ReadonlySet<string>): Workload => ({
  namespace: meta.namespace,
  labels: Object.fromEntries(
    Object.entries(meta.labels)
      .filter(([key]) => labelKeys.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ),
  annotations: meta.annotations,
  hostNetwork: spec.hostNetwork,
  ports: spec.ports,
  probes: spec.probes,
  ...(spec.shutProbes === undefined ? {} : { shutProbes: spec.shutProbes }),
  ...(spec.unopened === undefined ? {} : { unopened: spec.unopened }),
});

/** Two pods with equal keys share their rows; the order of annotations, if it differs, merely splits a class. */
export const classKey = (workload: Workload): string => JSON.stringify(workload);
