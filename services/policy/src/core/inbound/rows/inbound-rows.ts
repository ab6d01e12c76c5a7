import { Readers } from '@gatehouse/core/dependency/readers';
import { isMeshed } from '@gatehouse/core/mesh/workload';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import { readsOf } from './class-facts.ts';
import type { ConcernedRows } from './concerned-rows.ts';
import { mayNarrow } from './narrows.ts';
import type { InboundAnswer, RowCompiler } from './row-compiler.ts';
import type { AddressTrust } from './source-index.ts';
import type { RowSend, RowUpdate, RowWatch } from './watched-row.ts';
import { classKey, type InboundRow, type WorkloadClass, workloadOf } from './workload-class.ts';

type Pod = KubeObject<'Pod'>;

export interface InboundRowsOptions {
  readonly index: ResourceIndex;
  readonly compiler: RowCompiler;
  /** Whose pods have rows. */
  readonly mesh: Mesh;
}

/** A port of a workload, as WatchPort asks for it. */
export interface WorkloadPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface InboundWatch<R> extends RowWatch<R> {
  readonly port: number;
  readonly pod: WatchedPod<R>;
  row: InboundRow<R>;
}

/** The classes of one namespace, and the label names that tell them apart. */
interface NamespaceClasses<R> {
  labelKeys: ReadonlySet<string>;
  readonly byKey: Map<string, WorkloadClass<R>>;
}

interface WatchedPod<R> {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly watches: Set<InboundWatch<R>>;
}

/**
 * The rows that proxies watch: one per class of workloads and port, compiled when first asked for, brought up to date by
 * each batch, dropped with the last reader. A batch is seen whole or not at all: by the time `refresh` answers, every
 * row that it concerns has been replaced.
 */
export class InboundRows<R> {
  readonly #options: InboundRowsOptions;
  readonly #classes = new Map<string, NamespaceClasses<R>>();
  readonly #readers = new Readers<WorkloadClass<R>>();
  readonly #pods = new Map<string, Map<string, WatchedPod<R>>>();

  constructor(options: InboundRowsOptions) {
    this.#options = options;
  }

  get size(): { readonly classes: number; readonly rows: number } {
    let [classes, rows] = [0, 0];
    for (const { byKey } of this.#classes.values()) {
      classes += byKey.size;
      for (const workloads of byKey.values()) rows += workloads.rows.size;
    }
    return { classes, rows };
  }

  /** Whether it is a meshed pod that the index holds. */
  knows({ namespace, pod }: Pick<WorkloadPort, 'namespace' | 'pod'>): boolean {
    return this.#meshed(namespace, pod) !== undefined;
  }

  /** What the proxy of a workload is told of a port; undefined when no meshed pod of that name is known. */
  look({ namespace, pod, port }: WorkloadPort): InboundAnswer | undefined {
    const found = this.#meshed(namespace, pod);
    if (found === undefined) return undefined;
    const { compiler } = this.#options;
    const workload = workloadOf(found, compiler.labelKeys(namespace));
    const known = this.#classes.get(namespace)?.byKey.get(classKey(workload))?.rows.get(port);
    return known ?? compiler.compile({ workload, policies: compiler.policiesFor(workload) }, port);
  }

  /** The watch's row holds what to send first; undefined as for `look`. */
  watch({ namespace, pod, port }: WorkloadPort, reader: R): InboundWatch<R> | undefined {
    const found = this.#meshed(namespace, pod);
    if (found === undefined) return undefined;
    const watched = this.#watchedPod(found);
    // All watches of a pod are in its class, which need not be found again for each of its ports.
    const [other] = watched.watches;
    const row = this.#rowOf(other?.row.class ?? this.#classOf(found), port);
    const watch: InboundWatch<R> = { reader, port, pod: watched, row };
    watch.row.watches.add(watch);
    watched.watches.add(watch);
    return watch;
  }

  unwatch(watch: InboundWatch<R>): void {
    const { pod } = watch;
    this.#leave(watch);
    pod.watches.delete(watch);
    if (pod.watches.size > 0) return;
    const pods = this.#pods.get(pod.namespace);
    if (pods?.get(pod.name) === pod) pods.delete(pod.name);
    if (pods?.size === 0) this.#pods.delete(pod.namespace);
  }

  /** Takes what a batch changed in the index, which must hold it already. */
  refresh(touched: readonly Touched[]): RowUpdate<R> {
    return this.#update(this.#options.compiler.apply(touched));
  }

  /** Withdraws what is granted to addresses, or grants it again. */
  setTrust(trust: AddressTrust): RowUpdate<R> {
    return this.#update(this.#options.compiler.setTrust(trust));
  }

  #update(concerned: ConcernedRows): RowUpdate<R> {
    const { compiler } = this.#options;
    const dirty = new Set<InboundRow<R>>();
    const regrouped: string[] = [];
    for (const workloads of this.#concerned(concerned)) {
      const { policies, rows } = concerned.of(workloads);
      if (policies === 'changed') this.#replacePolicies(workloads);
      for (const row of rows) dirty.add(row);
    }
    for (const namespace of concerned.selected) {
      const classes = this.#classes.get(namespace);
      if (classes === undefined) continue;
      const labelKeys = compiler.labelKeys(namespace);
      if (labelKeys.symmetricDifference(classes.labelKeys).size > 0) regrouped.push(namespace);
      classes.labelKeys = labelKeys;
    }
    const { moves, gone } = this.#regroup(concerned.pods, regrouped);
    return { sends: this.#recompile(dirty, moves), gone };
  }

  /** The classes that were made of something that the batch touched. */
  #concerned({ facts, scope }: ConcernedRows): Iterable<WorkloadClass<R>> {
    const concerned = new Set<WorkloadClass<R>>();
    if (scope === 'everything') {
      for (const { byKey } of this.#classes.values())
        for (const workloads of byKey.values()) concerned.add(workloads);
    } else {
      for (const fact of facts) for (const workloads of this.#readers.of(fact)) concerned.add(workloads);
    }
    return concerned;
  }

  #replacePolicies(workloads: WorkloadClass<R>): void {
    workloads.policies = this.#options.compiler.policiesFor(workloads.workload);
    this.#read(workloads, readsOf(workloads.workload, workloads.policies));
  }

  #read(workloads: WorkloadClass<R>, reads: ReadonlySet<string>): void {
    this.#readers.move(workloads, workloads.reads, reads);
    workloads.reads = reads;
  }

  /** Puts every watched pod that changed, and all of the given namespaces, into the class it belongs to now. */
  #regroup(touched: readonly Touched<'Pod'>[], namespaces: readonly string[]) {
    const moves: Move<R>[] = [];
    const gone: R[] = [];
    const concerned = new Set<WatchedPod<R>>();
    for (const { before, after } of touched) {
      const meta = (after ?? before)?.meta;
      const watched = meta && this.#pods.get(meta.namespace)?.get(meta.name);
      if (watched !== undefined) concerned.add(watched);
    }
    for (const namespace of namespaces) {
      for (const watched of this.#pods.get(namespace)?.values() ?? []) concerned.add(watched);
    }
    for (const watched of concerned) {
      const pod = this.#meshed(watched.namespace, watched.name);
      if (pod?.meta.uid !== watched.uid) {
        for (const watch of [...watched.watches]) {
          this.unwatch(watch);
          gone.push(watch.reader);
        }
        continue;
      }
      const workloads = this.#classOf(pod);
      for (const watch of watched.watches) {
        if (watch.row.class === workloads) break;
        const row = this.#rowOf(workloads, watch.port);
        moves.push({ watch, had: watch.row.encoded.version });
        this.#leave(watch);
        watch.row = row;
        row.watches.add(watch);
      }
    }
    return { moves, gone };
  }

  /** Replaces every dirty row before anybody is told; whoever may be shut out hears first. */
  #recompile(dirty: ReadonlySet<InboundRow<R>>, moves: readonly Move<R>[]): readonly RowSend<R>[] {
    const narrowing: RowSend<R>[] = [];
    const widening: RowSend<R>[] = [];
    for (const row of dirty) {
      if (row.watches.size === 0) continue;
      const { compiled, encoded } = this.#options.compiler.compile(row.class, row.port);
      const before = row.compiled;
      row.compiled = compiled;
      if (encoded.version === row.encoded.version) continue;
      row.encoded = encoded;
      const send = { encoded, watches: row.watches };
      (mayNarrow(before.server, compiled.server) ? narrowing : widening).push(send);
    }
    for (const { watch, had } of moves) {
      const { encoded } = watch.row;
      if (encoded.version !== had) narrowing.push({ encoded, watches: [watch] });
    }
    return [...narrowing, ...widening];
  }

  #meshed(namespace: string, name: string): Pod | undefined {
    const { index, mesh } = this.#options;
    const pod = index.get('Pod', namespace, name);
    return pod !== undefined && isMeshed(pod.meta, mesh) ? pod : undefined;
  }

  #watchedPod({ meta: { namespace, name, uid } }: Pod): WatchedPod<R> {
    const pods = this.#pods.get(namespace) ?? new Map<string, WatchedPod<R>>();
    this.#pods.set(namespace, pods);
    const known = pods.get(name);
    if (known !== undefined) return known;
    const fresh: WatchedPod<R> = { namespace, name, uid, watches: new Set() };
    pods.set(name, fresh);
    return fresh;
  }

  #rowOf(workloads: WorkloadClass<R>, port: number): InboundRow<R> {
    const known = workloads.rows.get(port);
    if (known !== undefined) return known;
    const row = {
      class: workloads,
      port,
      ...this.#options.compiler.compile(workloads, port),
      watches: new Set<RowWatch<R>>(),
    };
    workloads.rows.set(port, row);
    return row;
  }

  #classOf(pod: Pod): WorkloadClass<R> {
    const { namespace } = pod.meta;
    let classes = this.#classes.get(namespace);
    if (classes === undefined) {
      classes = { labelKeys: this.#options.compiler.labelKeys(namespace), byKey: new Map() };
      this.#classes.set(namespace, classes);
    }
    const workload = workloadOf(pod, classes.labelKeys);
    const key = classKey(workload);
    const known = classes.byKey.get(key);
    if (known !== undefined) return known;
    const policies = this.#options.compiler.policiesFor(workload);
    const fresh: WorkloadClass<R> = { key, workload, policies, reads: new Set(), rows: new Map() };
    classes.byKey.set(key, fresh);
    this.#read(fresh, readsOf(workload, policies));
    return fresh;
  }

  /** Drops the row with its last watch, the class with its last row. */
  #leave(watch: InboundWatch<R>): void {
    const { row, port } = watch;
    if (!row.watches.delete(watch) || row.watches.size > 0) return;
    const { key, workload, rows } = row.class;
    rows.delete(port);
    if (rows.size > 0) return;
    this.#read(row.class, new Set());
    const classes = this.#classes.get(workload.namespace);
    classes?.byKey.delete(key);
    if (classes?.byKey.size === 0) this.#classes.delete(workload.namespace);
  }
}

/** A watch that has come to another row, and the version it was sent from its old one. */
interface Move<R> {
  readonly watch: InboundWatch<R>;
  readonly had: string;
}
