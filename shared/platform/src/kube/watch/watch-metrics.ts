import type { Counter, Metrics } from '../../metrics/metrics.ts';
import type { KindHealth } from '../source.ts';

export interface WatchMetrics {
  readonly relists: Counter<'kind' | 'reason'>;
  readonly restarts: Counter<'kind' | 'reason'>;
  readonly unreadable: Counter<'kind'>;
}

/** What a source tells of its watches; only a Kubernetes source counts relists, restarts and unreadable lines. */
export const watchMetrics = (
  metrics: Metrics,
  { health }: { readonly health: () => readonly KindHealth[] },
): WatchMetrics => {
  metrics.gauge({
    name: 'gatehouse_watch_staleness_seconds',
    help: 'Time since the last proof of life of the watch, by kind.',
    labelNames: ['kind'],
    collect() {
      for (const { kind, staleMs } of health()) {
        if (staleMs !== undefined) this.set({ kind }, staleMs / 1_000);
      }
    },
  });
  return {
    relists: metrics.counter({
      name: 'gatehouse_watch_relists_total',
      help: 'Full lists after the first, by what made them necessary: expired, rewound, away, error, unreadable.',
      labelNames: ['kind', 'reason'],
    }),
    restarts: metrics.counter({
      name: 'gatehouse_watch_restarts_total',
      help: 'Watches that were started again, by how the previous one ended: ended, cut, silent, failed.',
      labelNames: ['kind', 'reason'],
    }),
    unreadable: metrics.counter({
      name: 'gatehouse_watch_unreadable_total',
      help: 'Lines, pages and objects from the API server that could not be parsed.',
      labelNames: ['kind'],
    }),
  };
};
