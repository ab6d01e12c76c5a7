import { Answers } from '@gatehouse/core/dependency/answers';
import { touchedFacts } from '@gatehouse/core/dependency/kind-facts';
import { AddressIndex } from '@gatehouse/core/mesh/address-index';
import type { Change } from '@gatehouse/core/resources/changes';
import { ResourceIndex, type Touched } from '@gatehouse/core/resources/resource-index';
import type { Source } from '@gatehouse/platform/kube/source';
import { Bursts } from '@gatehouse/platform/limits/bursts';
import { type Clock, systemClock } from '@gatehouse/platform/process/clock';
import type { Cluster, ClusterSettings } from '../core/cluster.ts';
import { kindFacts, watchedKinds } from '../core/facts.ts';

/** A burst is compiled at most this often; the first change of one is compiled at once (design §6.5). */
const settleEveryMs = 20;

/** Keeps the cluster's picture and the compiled answers in step with a source. */
export class ClusterWatch {
  readonly cluster: Cluster;
  readonly answers = new Answers();
  readonly #bursts: Bursts;
  readonly #observers: ((touched: readonly Touched[]) => void)[] = [];

  constructor(settings: ClusterSettings, clock: Clock = systemClock) {
    this.cluster = { index: new ResourceIndex(), addresses: new AddressIndex(), settings };
    this.#bursts = new Bursts({ everyMs: settleEveryMs, clock, work: () => this.answers.settle() });
  }

  /** Whether every kind has been listed once. Before that nobody may be told that something does not exist. */
  get isReady(): boolean {
    return this.cluster.index.isSynced(watchedKinds);
  }

  /** Tells of each batch once it is applied. */
  observe(observer: (touched: readonly Touched[]) => void): void {
    this.#observers.push(observer);
  }

  /** Watches until the signal aborts. */
  async run(source: Source, signal: AbortSignal): Promise<void> {
    try {
      const watched = source.run(watchedKinds, (changes) => this.#take(changes), signal);
      await Promise.race([watched, this.#bursts.failed]);
    } finally {
      this.#bursts.close();
    }
  }

  #take(changes: readonly Change[]): void {
    const { index, addresses } = this.cluster;
    const touched = index.apply(changes);
    addresses.apply(touched);
    this.answers.touch(touchedFacts(kindFacts, touched));
    this.#bursts.due();
    for (const observer of this.#observers) observer(touched);
  }
}
