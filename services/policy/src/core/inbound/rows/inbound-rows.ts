import { Readers } from '@gatehouse/core/dependency/readers';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import { hasProxy, type Target, workloadOf } from '../workload-of.ts';
import { readsOf } from './class-facts.ts';
import type { ConcernedRows } from './concerned-rows.ts';
import type { InboundAnswer, RowCompiler } from './row-compiler.ts';
import type { AddressTrust } from './source-index.ts';
import { WaitingRows } from './waiting-rows.ts';
import type { EncodedRow, RowSend, RowUpdate } from './watched-row.ts';
import {
  classKey,
  type InboundRow,
  type InboundWatch,
  narrowed,
  type WatchedPod,
  type WorkloadClass,
} from './workload-class.ts';

export interface InboundRowsOptions {
  readonly index: ResourceIndex;
  readonly compiler: RowCompiler;
  /** Whose pods have rows. */
  readonly mesh: Mesh;
}

/** A port of a workload, as WatchPort asks for it. */
export interface WorkloadPort extends WorkloadAsked {
  readonly port: number;
}

/** With `audit` the answer has what would be in force if Audit policies were enforced, too. */
export interface RowAsked extends WorkloadPort {
  readonly include?: 'audit' | undefined;
}

/** A pod by its name, or an ExternalWorkload where `kind` says so. */
export interface WorkloadAsked {
  readonly kind?: 'external-workload';
  readonly namespace: string;
  readonly pod: string;
}

/** The classes of one namespace, and the label names that tell them apart. */
interface NamespaceClasses<R> {
  labelKeys: ReadonlySet<string>;
  readonly byKey: Map<string, WorkloadClass<R>>;
}

/**
 * The rows that proxies watch: one per class of workloads and group of ports. A batch marks the rows that it concerns;
 * these, and rows that are asked for the first time, wait until `compile` comes to them, each compiled from what is known by
 * then, so that no row is ever made of half a batch. Dropped with the last reader.
 */
export class InboundRows<R> {
  readonly #options: InboundRowsOptions;
  readonly #classes = new Map<string, NamespaceClasses<R>>();
  readonly #readers = new Readers<WorkloadClass<R>>();
  readonly #pods = new Map<string, Map<string, WatchedPod<R>>>();
  readonly #waiting: WaitingRows<R>;

  constructor(options: InboundRowsOptions) {
    this.#options = options;
    this.#waiting = new WaitingRows(options.compiler);
  }

  get size(): { readonly classes: number; readonly rows: number; readonly waiting: number } {
    let [classes, rows] = [0, 0];
    for (const { byKey } of this.#classes.values()) {
      classes += byKey.size;
      for (const workloads of byKey.values()) rows += workloads.rows.size;
    }
    return { classes, rows, waiting: this.#waiting.size };
  }

  /** Whether only rows wait that may take long to compile, each. */
  get isDear(): boolean {
    return this.#waiting.isDear;
  }

  /** Whether anything waits for `compile`. */
  get isBehind(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether it is a meshed pod, or an ExternalWorkload, that the index holds. */
  knows(asked: WorkloadAsked): boolean {
    return this.#meshed(asked) !== undefined;
  }

  /**
   * Has `hear` called by `compile` with what the proxy of a workload is told of a port; undefined = no such meshed pod. What
   * comes back takes the question back.
   */
  ask(asked: RowAsked, hear: (answer: InboundAnswer | undefined) => void): () => void {
    return this.#waiting.ask(asked.namespace, { compile: () => this.#look(asked), hear });
  }

  /** Undefined when no meshed pod of that name is known. What to send is said by `first`, else by an update. */
  watch({ port, ...asked }: WorkloadPort, reader: R): InboundWatch<R> | undefined {
    const found = this.#meshed(asked);
    if (found === undefined) return undefined;
    const watched = this.#watchedPod(found);
    // All watches of a pod are in its class, which need not be found again for each of its ports.
    const [other] = watched.watches;
    const row = this.#rowOf(other?.row.class ?? this.#classOf(found), port);
    const watch: InboundWatch<R> = { reader, port, pod: watched, row };
    watched.watches.add(watch);
    row.watches.add(watch);
    if (row.state === 'waiting') row.unheard.set(watch, undefined);
    return watch;
  }

  /** What a new watch is to be sent at once; undefined while its row waits. */
  first({ row }: InboundWatch<R>): EncodedRow | undefined {
    return row.state === 'settled' ? row.answer?.encoded : undefined;
  }

  unwatch(watch: InboundWatch<R>): void {
    const { pod } = watch;
    this.#leave(watch, watch.row);
    pod.watches.delete(watch);
    if (pod.watches.size > 0) return;
    const pods = this.#pods.get(pod.namespace);
    if (pods?.get(nameOf(pod)) === pod) pods.delete(nameOf(pod));
    if (pods?.size === 0) this.#pods.delete(pod.namespace);
  }

  /** Takes what a batch changed in the index, which must hold it already; answers what need not wait. */
  apply(touched: readonly Touched[]): RowUpdate<R> {
    return this.take(this.#options.compiler.apply(touched));
  }

  /** Withdraws what is granted to addresses, or grants it again. */
  setTrust(trust: AddressTrust): RowUpdate<R> {
    return this.take(this.#options.compiler.setTrust(trust));
  }

  /** Compiles what waits until `isOver`, one row at least, namespaces in turns. */
  compile(isOver: () => boolean): RowUpdate<R> {
    return this.#waiting.compile(isOver);
  }

  /** The same, from what the compiler says of a batch that it has taken already. */
  take(concerned: ConcernedRows): RowUpdate<R> {
    const { compiler } = this.#options;
    const moved: Moved<R> = new Map();
    const regrouped: string[] = [];
    for (const workloads of this.#concerned(concerned)) {
      const { policies, rows } = concerned.of(workloads);
      for (const row of rows) this.#waiting.add(row);
      if (policies === 'same') continue;
      this.#replacePolicies(workloads);
      this.#partition(workloads, moved);
    }
    for (const namespace of concerned.selected) {
      const classes = this.#classes.get(namespace);
      if (classes === undefined) continue;
      const labelKeys = compiler.labelKeys(namespace);
      if (labelKeys.symmetricDifference(classes.labelKeys).size > 0) regrouped.push(namespace);
      classes.labelKeys = labelKeys;
    }
    const gone = this.#regroup(concerned.workloads, regrouped, moved);
    return { sends: arrivals(moved), gone };
  }

  /** Gives every watched port of a class to the row of the group to which it belongs now. */
  #partition(workloads: WorkloadClass<R>, moved: Moved<R>): void {
    workloads.ports = this.#options.compiler.portsOf(workloads);
    const before = [...workloads.rows.values()];
    workloads.rows.clear();
    const moves: [InboundWatch<R>, InboundRow<R>][] = [];
    for (const row of before) {
      // A row stays that of the first of its ports whose group has none yet.
      let stays = false;
      for (const watch of row.watches) {
        const group = workloads.ports.groupOf(watch.port);
        let target = workloads.rows.get(group);
        if (target === undefined && !stays) {
          stays = true;
          target = row;
          workloads.rows.set(group, row);
          this.#represent(row, group, watch.port);
        }
        target ??= this.#rowOf(workloads, watch.port);
        if (target !== row) moves.push([watch, target]);
      }
    }
    for (const [watch, row] of moves) this.#move(watch, row, moved);
  }

  /**
   * Makes it the row of a group. It is compiled again unless it was that group's before, and so is the port that stands for
   * it: that port may be watched no more, and then the batch concerned the others without concerning it.
   */
  #represent(row: InboundRow<R>, group: string, port: number): void {
    if (row.group === group && row.class.ports.groupOf(row.port) === group) return;
    row.group = group;
    row.port = port;
    this.#waiting.add(row);
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

  /** Puts every watched pod that changed, and all of the given namespaces, into the class it belongs to now; returns readers whose pod is gone. */
  #regroup(
    touched: readonly Touched<Target['kind']>[],
    namespaces: readonly string[],
    moved: Moved<R>,
  ): readonly R[] {
    const gone: R[] = [];
    const concerned = new Set<WatchedPod<R>>();
    for (const { before, after } of touched) {
      const target = after ?? before;
      const watched = target && this.#pods.get(target.meta.namespace)?.get(nameOf(askedAs(target)));
      if (watched !== undefined) concerned.add(watched);
    }
    for (const namespace of namespaces) {
      for (const watched of this.#pods.get(namespace)?.values() ?? []) concerned.add(watched);
    }
    for (const watched of concerned) {
      const pod = this.#meshed(watched);
      if (pod?.meta.uid !== watched.uid) {
        for (const watch of [...watched.watches]) {
          this.unwatch(watch);
          moved.delete(watch);
          gone.push(watch.reader);
        }
        continue;
      }
      const workloads = this.#classOf(pod);
      for (const watch of watched.watches) {
        if (watch.row.class === workloads) break;
        this.#move(watch, this.#rowOf(workloads, watch.port), moved);
      }
    }
    return gone;
  }

  #move(watch: InboundWatch<R>, row: InboundRow<R>, moved: Moved<R>): void {
    const { row: from } = watch;
    // One that moves twice in a batch was told nothing in between.
    if (!moved.has(watch))
      moved.set(watch, from.unheard.has(watch) ? from.unheard.get(watch) : from.answer?.encoded.version);
    row.watches.add(watch);
    watch.row = row;
    this.#leave(watch, from);
  }

  #look({ port, include, ...asked }: RowAsked): InboundAnswer | undefined {
    const { namespace } = asked;
    const found = this.#meshed(asked);
    if (found === undefined) return undefined;
    const { compiler } = this.#options;
    const workload = narrowed(workloadOf(found), compiler.labelKeys(namespace));
    const known = this.#classes.get(namespace)?.byKey.get(classKey(workload));
    const row = known?.rows.get(known.ports.groupOf(port));
    // What is said about a port names it, so the row of another port will not do.
    const settled = row?.port === port && row.state === 'settled' ? row.answer : undefined;
    const compilable = () => ({ workload, policies: compiler.policiesFor(workload) });
    const answer = settled ?? compiler.compile(compilable(), port);
    if (include === undefined || answer.compiled.audit === undefined) return answer;
    return { ...answer, ifEnforced: compiler.compileEnforced(compilable(), port) };
  }

  #meshed({ kind, namespace, pod: name }: WorkloadAsked): Target | undefined {
    const { index, mesh } = this.#options;
    const target = index.get(kind === undefined ? 'Pod' : 'ExternalWorkload', namespace, name);
    return target !== undefined && hasProxy(target as Target, mesh) ? (target as Target) : undefined;
  }

  #watchedPod(target: Target): WatchedPod<R> {
    const { uid } = target.meta;
    const asked = askedAs(target);
    const { namespace } = asked;
    const name = nameOf(asked);
    const pods = this.#pods.get(namespace) ?? new Map<string, WatchedPod<R>>();
    this.#pods.set(namespace, pods);
    const known = pods.get(name);
    if (known !== undefined) return known;
    const fresh: WatchedPod<R> = { ...asked, uid, watches: new Set() };
    pods.set(name, fresh);
    return fresh;
  }

  #rowOf(workloads: WorkloadClass<R>, port: number): InboundRow<R> {
    const group = workloads.ports.groupOf(port);
    const known = workloads.rows.get(group);
    if (known !== undefined) return known;
    const row: InboundRow<R> = {
      class: workloads,
      group,
      port,
      answer: undefined,
      state: 'waiting',
      watches: new Set(),
      unheard: new Map(),
    };
    workloads.rows.set(group, row);
    this.#waiting.add(row);
    return row;
  }

  #classOf(pod: Target): WorkloadClass<R> {
    const { namespace } = pod.meta;
    const { compiler } = this.#options;
    let classes = this.#classes.get(namespace);
    if (classes === undefined) {
      classes = { labelKeys: compiler.labelKeys(namespace), byKey: new Map() };
      this.#classes.set(namespace, classes);
    }
    const workload = narrowed(workloadOf(pod), classes.labelKeys);
    const key = classKey(workload);
    const known = classes.byKey.get(key);
    if (known !== undefined) return known;
    const policies = compiler.policiesFor(workload);
    const ports = compiler.portsOf({ workload, policies });
    const fresh: WorkloadClass<R> = { key, workload, policies, reads: new Set(), ports, rows: new Map() };
    classes.byKey.set(key, fresh);
    this.#read(fresh, readsOf(workload, policies));
    return fresh;
  }

  /** Drops the row with its last watch, the class with its last row. */
  #leave(watch: InboundWatch<R>, row: InboundRow<R>): void {
    row.unheard.delete(watch);
    if (!row.watches.delete(watch) || row.watches.size > 0) return;
    this.#waiting.drop(row);
    const { key, workload, rows } = row.class;
    if (rows.get(row.group) === row) rows.delete(row.group);
    if (rows.size > 0) return;
    this.#read(row.class, new Set());
    const classes = this.#classes.get(workload.namespace);
    classes?.byKey.delete(key);
    if (classes?.byKey.size === 0) this.#classes.delete(workload.namespace);
  }
}

/** As a proxy asks for its own ports. */
export const askedAs = ({
  kind,
  meta: { namespace, name: pod },
}: Pick<Target, 'kind' | 'meta'>): WorkloadAsked =>
  kind === 'Pod' ? { namespace, pod } : { kind: 'external-workload', namespace, pod };

/** Apart from the pods of its namespace: no name has a slash. */
const nameOf = ({ kind, pod }: WorkloadAsked): string => (kind === undefined ? pod : `${kind}/${pod}`);

/** Watches that a batch brings to other rows, and the versions that they were told last. */
type Moved<R> = Map<InboundWatch<R>, string | undefined>;

/** What they are to be sent at once. Those whose row waits hear with it: what it holds is from before the batch. */
const arrivals = <R>(moved: Moved<R>): readonly RowSend<R>[] => {
  const sends: RowSend<R>[] = [];
  for (const [watch, told] of moved) {
    const { state, answer, unheard } = watch.row;
    if (state === 'waiting') unheard.set(watch, told);
    else if (answer !== undefined && answer.encoded.version !== told)
      sends.push({ encoded: answer.encoded, watches: [watch] });
  }
  return sends;
};
