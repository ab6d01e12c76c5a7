import type { Workload } from '../model.ts';
import type { ConcerningPolicies } from './policy-index.ts';
import type { PortGroups } from './port-groups.ts';
import type { InboundAnswer } from './row-compiler.ts';
import type { RowWatch } from './watched-row.ts';

/** Pods that agree in everything that a row depends on (design §6.5): a row is compiled once for all of them. */
export interface WorkloadClass<R> {
  readonly key: string;
  readonly workload: Workload;
  policies: ConcerningPolicies;
  /** The facts that its rows are made of (class-facts.ts). */
  reads: ReadonlySet<string>;
  /** Of the policies as they are. */
  ports: PortGroups;
  /** By the group of ports that they are for; only those that somebody watches. */
  readonly rows: Map<string, InboundRow<R>>;
}

export interface InboundRow<R> {
  readonly class: WorkloadClass<R>;
  /** The ports that it is for; see PortGroups. */
  group: string;
  /** One of them, which stands for all. */
  port: number;
  /** The newest; undefined before it is compiled for the first time. */
  answer: InboundAnswer | undefined;
  /** Whether something that it depends on has changed since, so that it waits to be compiled. */
  state: 'settled' | 'waiting';
  readonly watches: Set<InboundWatch<R>>;
  /** Watches that wait with it: they have heard nothing of it yet. With what they were told last, by another row. */
  readonly unheard: Map<InboundWatch<R>, string | undefined>;
}

export interface InboundWatch<R> extends RowWatch<R> {
  readonly port: number;
  readonly pod: WatchedPod<R>;
  row: InboundRow<R>;
}

/** A pod, or an ExternalWorkload where `kind` says so. */
export interface WatchedPod<R> {
  readonly kind?: 'external-workload';
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly watches: Set<InboundWatch<R>>;
}

/** Of the pod's labels only those that a selector of its namespace looks at, so that no other label splits a class. */
export const narrowed = (workload: Workload, labelKeys: ReadonlySet<string>): Workload => ({
  ...workload,
  labels: Object.fromEntries(
    Object.entries(workload.labels)
      .filter(([key]) => labelKeys.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ),
});

/** Two pods with equal keys share their rows; the order of annotations, if it differs, merely splits a class. */
export const classKey = (workload: Workload): string => JSON.stringify(workload);
