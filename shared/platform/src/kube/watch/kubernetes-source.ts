import { GatehouseError } from '@gatehouse/core/error';
import type { Change } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';
import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import type { Log } from '../../log/log.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { pause } from '../../process/pause.ts';
import type { KubeClient } from '../client/client.ts';
import type { KindHealth, Source } from '../source.ts';
import { ListWatch } from './list-watch.ts';
import { usualTimings, type WatchTimings } from './next-step.ts';
import { type WatchMetrics, watchMetrics } from './watch-metrics.ts';
import { missingPermissions } from './watch-permission.ts';

export interface KubernetesSourceOptions {
  readonly client: KubeClient;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed?: () => number;
  readonly timings?: WatchTimings;
  /** A random number from 0 to 1. */
  readonly dice?: () => number;
  /** What one object may hold. Default: the usual. */
  readonly budgets?: ObjectBudgets;
}

/** The objects of a cluster, as its API server tells them: one list and watch for each kind (design §5). */
export class KubernetesSource implements Source {
  readonly #options: Required<Omit<KubernetesSourceOptions, 'budgets'>> &
    Pick<KubernetesSourceOptions, 'budgets'>;
  readonly #metrics: WatchMetrics;
  #watches: readonly ListWatch[] = [];
  #isRunning = false;

  constructor({
    elapsed = () => performance.now(),
    timings = usualTimings,
    dice = Math.random,
    ...rest
  }: KubernetesSourceOptions) {
    this.#options = { elapsed, timings, dice, ...rest };
    this.#metrics = watchMetrics(rest.metrics, { health: () => this.health() });
  }

  /** Never gives up on an API server that is away, refuses, or talks nonsense: what is known stays known. */
  async run(
    kinds: readonly Kind[],
    deliver: (changes: readonly Change[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#isRunning) {
      throw new GatehouseError(
        'failed-precondition',
        'this Kubernetes source runs already: make another one',
      );
    }
    this.#isRunning = true;
    const forbidden = new AbortController();
    const onForbidden = (): void => forbidden.abort();
    this.#watches = kinds.map(
      (kind) => new ListWatch({ ...this.#options, metrics: this.#metrics, kind, deliver, onForbidden }),
    );
    // Should one of them break, the others end too.
    const broken = new AbortController();
    const until = AbortSignal.any([signal, broken.signal]);
    const tasks = [
      this.#namePermissions(kinds, forbidden.signal, until),
      ...this.#watches.map((watch) => watch.run(until)),
    ];
    try {
      await Promise.all(tasks);
    } finally {
      broken.abort();
      await Promise.allSettled(tasks);
      this.#isRunning = false;
    }
  }

  health(): readonly KindHealth[] {
    return this.#watches.map((watch) => watch.health());
  }

  /**
   * All at once, where one refused list after another would tell them one by one. Only once something is refused: a question for each
   * verb of each kind would cost every healthy start forty connections.
   */
  async #namePermissions(kinds: readonly Kind[], forbidden: AbortSignal, signal: AbortSignal): Promise<void> {
    const { client, log, timings } = this.#options;
    await aborted(AbortSignal.any([forbidden, signal]));
    if (signal.aborted) return;
    try {
      if ((await missingPermissions(client, kinds, signal)) === undefined) return;
      // An API server that starts denies everything until it has read its own roles.
      await pause(timings.permissionsMs, signal);
      if (signal.aborted) return;
      const missing = await missingPermissions(client, kinds, signal);
      if (missing !== undefined && !signal.aborted) log.error(missing);
    } catch (error) {
      // Only a courtesy: what cannot be listed says so itself.
      log.debug({ err: error }, 'the API server cannot be asked for our permissions');
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
