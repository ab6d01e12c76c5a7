import { Answers } from '@gatehouse/core/dependency/answers';
import { touchedFacts } from '@gatehouse/core/dependency/kind-facts';
import { AddressIndex } from '@gatehouse/core/mesh/address-index';
import type { Change } from '@gatehouse/core/resources/changes';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { Source } from '@gatehouse/platform/kube/source';
import type { Cluster, ClusterSettings } from '../core/cluster.ts';
import { kindFacts, watchedKinds } from '../core/facts.ts';

/** A burst is compiled at most this often; the first change of one is compiled at once (design §6.5). */
const settleEveryMs = 20;

/** Keeps the cluster's picture and the compiled answers in step with a source. */
export class ClusterWatch {
  readonly cluster: Cluster;
  readonly answers = new Answers();
  readonly #now: () => number;
  #settledAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(settings: ClusterSettings, now: () => number = () => performance.now()) {
    this.#now = now;
    this.cluster = { index: new ResourceIndex(), addresses: new AddressIndex(), settings };
  }

  /** Whether every kind has been listed once. Before that nobody may be told that something does not exist. */
  get isReady(): boolean {
    return this.cluster.index.isSynced(watchedKinds);
  }

  /** Watches until the signal aborts. */
  async run(source: Source, signal: AbortSignal): Promise<void> {
    try {
      await source.run(watchedKinds, (changes) => this.#take(changes), signal);
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #take(changes: readonly Change[]): void {
    const { index, addresses } = this.cluster;
    const touched = index.apply(changes);
    addresses.apply(touched);
    this.answers.touch(touchedFacts(kindFacts, touched));
    if (this.#timer !== undefined) return;
    const wait = this.#settledAt + settleEveryMs - this.#now();
    if (wait <= 0) this.#settle();
    else this.#timer = setTimeout(() => this.#settle(), wait);
  }

  #settle(): void {
    this.#timer = undefined;
    this.answers.settle();
    this.#settledAt = this.#now();
  }
}
