import { Readers } from '@gatehouse/core/dependency/readers';
import type { Kind, KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex, Touched } from '@gatehouse/core/resources/resource-index';
import type { ClusterConfig } from '../inbound/model.ts';
import type { ConcernedRows } from '../inbound/rows/concerned-rows.ts';
import { FairQueue } from '../inbound/rows/fair-queue.ts';
import { AuthenticationReferences } from './authentication-references.ts';
import { isJudged, judge } from './judge.ts';
import { factsOf, judgedFacts } from './judged-facts.ts';
import { type JudgedCompiler, JudgedRows } from './judged-rows.ts';
import type { Judged, Judgement } from './judgement.ts';
import { type Evidence, Look } from './look.ts';
import { PodSelections } from './pod-selections.ts';
import { withCandidate } from './with-candidate.ts';

export interface JudgementsOptions {
  readonly index: ResourceIndex;
  readonly cluster: ClusterConfig;
  readonly compiler: JudgedCompiler;
}

interface Entry {
  readonly object: Judged;
  judgement: Judgement | undefined;
  /** As it was when `catchUp` last returned it. */
  told: Judgement | undefined;
  reads: ReadonlySet<string>;
  state: 'fresh' | 'stale';
}

/** An object that was judged again, before and after; undefined = not judged, or not there. */
export interface Rejudged {
  readonly object: Judged;
  readonly before: Judgement | undefined;
  readonly after: Judgement | undefined;
}

/** An object costs the queue about so much, that namespaces have turns of a few. */
const quantum = 4;

/**
 * The judgement of every policy object, kept in step with the index: a batch marks those that were made of a fact it touched,
 * and leaves the others alone. They are judged when asked for, or in slices when nothing else waits.
 */
export class Judgements {
  readonly #evidence: Evidence;
  readonly #options: JudgementsOptions;
  readonly #selections: PodSelections;
  readonly #rows: JudgedRows;
  readonly #references = new AuthenticationReferences();
  readonly #readers = new Readers<Entry>();
  readonly #entries = new Map<string, Entry>();
  readonly #labelKeys = new Map<string, ReadonlySet<string>>();
  readonly #waiting = new FairQueue<Entry>(quantum);
  #gone: Rejudged[] = [];
  #judged = 0;

  constructor(options: JudgementsOptions) {
    const { index, cluster, compiler } = options;
    this.#options = options;
    this.#selections = new PodSelections({
      index,
      cluster,
      labelKeys: (namespace) => compiler.labelKeys(namespace),
    });
    this.#rows = new JudgedRows(compiler);
    this.#evidence = {
      index,
      cluster,
      select: (namespace, selector) => this.#selections.of(namespace, selector),
      rows: this.#rows,
      sourcesOf: (policy) => compiler.sourcesOf(policy),
      referencesTo: (fact) => this.#references.count(fact),
      serverJudgement: (server) => this.#judgedServer(server),
    };
  }

  /** Judgements made since the start. */
  get judged(): number {
    return this.#judged;
  }

  /** How many are out of date. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a batch that the index and the compiler hold already. */
  take(touched: readonly Touched[], concerned: ConcernedRows): void {
    const facts = factsOf(touched);
    for (const fact of concerned.facts) facts.add(fact);
    for (const namespace of concerned.selected) {
      const keys = this.#options.compiler.labelKeys(namespace);
      const before = this.#labelKeys.get(namespace) ?? new Set();
      this.#labelKeys.set(namespace, keys);
      if (keys.symmetricDifference(before).size > 0) facts.add(judgedFacts.labelKeys(namespace));
    }
    this.#references.take(touched);
    this.#selections.take(touched, facts);
    if (facts.size > 0 || concerned.scope === 'everything') this.#rows.forget();
    for (const { before, after } of touched) this.#replace(before, after);
    if (concerned.scope === 'everything') {
      this.#selections.forgetAll();
      for (const entry of this.#entries.values()) this.#stale(entry);
    } else {
      for (const fact of facts) for (const entry of this.#readers.of(fact)) this.#stale(entry);
    }
  }

  /** What became of the object; undefined for one that is not judged. */
  of(object: Judged): Judgement | undefined {
    const entry = this.#entries.get(keyOf(object));
    // The index has it, and so must we: anything else is an object of another life.
    if (entry === undefined || entry.object !== object) return this.#judge(object).judgement;
    return this.#fresh(entry).judgement;
  }

  /** What would become of an object if it were stored now, in place of the one of its name; nothing of it is remembered. */
  ofCandidate(object: Judged): Judgement | undefined {
    const { compiler } = this.#options;
    const candidate = withCandidate(compiler, object);
    const rows = new JudgedRows(candidate);
    const look = new Look({
      ...this.#evidence,
      rows,
      select: (namespace, selector) => this.#selections.once(namespace, selector),
      sourcesOf: (policy) => candidate.sourcesOf(policy),
    });
    return judge(look, object);
  }

  /** Judges what is out of date until `isOver`, one at least, namespaces in turns; returns what is another than before. */
  catchUp(isOver: () => boolean): readonly Rejudged[] {
    const changed = this.#gone;
    this.#gone = [];
    do {
      const next = this.#waiting.next();
      if (next === undefined) break;
      const { item, tenant } = next;
      this.#waiting.charge(tenant, 1);
      const { object, told: before } = item;
      const { judgement: after } = this.#fresh(item);
      item.told = after;
      if (!isSame(before, after)) changed.push({ object, before, after });
    } while (!isOver());
    return changed;
  }

  #replace(before: KubeObject | undefined, after: KubeObject | undefined): void {
    const old = before !== undefined && isJudged(before) ? this.#entries.get(keyOf(before)) : undefined;
    if (old !== undefined) {
      this.#waiting.remove(old.object.meta.namespace, old);
      this.#readers.move(old, old.reads, new Set());
      this.#entries.delete(keyOf(old.object));
      if (after === undefined) this.#gone.push({ object: old.object, before: old.told, after: undefined });
    }
    if (after === undefined || !isJudged(after)) return;
    const entry: Entry = {
      object: after,
      judgement: undefined,
      told: old?.told,
      reads: new Set(),
      state: 'stale',
    };
    this.#entries.set(keyOf(after), entry);
    this.#waiting.add(after.meta.namespace, entry);
  }

  #stale(entry: Entry): void {
    entry.state = 'stale';
    this.#waiting.add(entry.object.meta.namespace, entry);
  }

  /** Also out of turn; then it goes on waiting, so that those who hear of changes hear of it. */
  #fresh(entry: Entry): Entry {
    if (entry.state === 'fresh') return entry;
    const { judgement, reads } = this.#judge(entry.object);
    this.#readers.move(entry, entry.reads, reads);
    entry.reads = reads;
    entry.judgement = judgement;
    entry.state = 'fresh';
    return entry;
  }

  #judge(object: Judged): { readonly judgement: Judgement | undefined; readonly reads: ReadonlySet<string> } {
    this.#judged += 1;
    const look = new Look(this.#evidence);
    const judgement = judge(look, object);
    return { judgement, reads: look.reads };
  }

  #judgedServer(server: KubeObject<'Server'>) {
    const entry = this.#entries.get(keyOf(server));
    const { judgement, reads } =
      entry === undefined || entry.object !== server ? this.#judge(server) : this.#fresh(entry);
    if (judgement === undefined) throw new Error('every Server is judged');
    return { judgement, reads };
  }
}

const keyOf = ({ kind, meta }: { readonly kind: Kind; readonly meta: KubeObject['meta'] }): string =>
  `${kind}/${meta.namespace}/${meta.name}`;

const isSame = (a: Judgement | undefined, b: Judgement | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);
