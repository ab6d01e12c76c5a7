import type { Source } from '@gatehouse/platform/kube/source';
import type { Histogram, Metrics } from '@gatehouse/platform/metrics/metrics';
import type { RowStreams, StreamMethod } from './inbound/row-streams.ts';
import type { PolicyWatch } from './policy-watch.ts';

const methods: readonly StreamMethod[] = ['InboundServerPolicies/WatchPort', 'OutboundPolicies/Watch'];

/** How long batches take, from the index to the streams. */
export const updateSeconds = (metrics: Metrics): Histogram =>
  metrics.histogram({
    name: 'gatehouse_policy_update_seconds',
    help: 'From a batch of changes until every row it concerns is compiled and handed to its streams.',
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5],
  });

export interface Measured {
  readonly watch: PolicyWatch;
  readonly streams: RowStreams;
  readonly source: Pick<Source, 'health'>;
}

/** Shows what policy counts; nothing is counted here. */
export const measurePolicy = (metrics: Metrics, { watch, streams, source }: Measured): void => {
  metrics.gauge({
    name: 'gatehouse_policy_rows',
    help: 'Compiled rows that somebody watches, by direction.',
    labelNames: ['direction'],
    collect() {
      this.set({ direction: 'inbound' }, watch.inbound.size.rows);
      this.set({ direction: 'outbound' }, watch.outbound.size);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_workload_classes',
    help: 'Sets of watched pods that share their inbound rows.',
    collect() {
      this.set(watch.inbound.size.classes);
    },
  });
  metrics.counter({
    name: 'gatehouse_policy_rows_compiled_total',
    help: 'Inbound rows compiled, for streams and for questions.',
    collect() {
      this.reset();
      this.inc(watch.compiler.compiled);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_streams',
    help: 'Open streams that are answered, by method.',
    labelNames: ['method'],
    collect() {
      for (const method of methods) this.set({ method }, streams.count(method));
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_busy_streams',
    help: 'Streams whose client has not taken its last message yet.',
    collect() {
      this.set(streams.load.busy);
    },
  });
  metrics.counter({
    name: 'gatehouse_policy_messages_sent_total',
    help: 'Messages handed to streams, refreshes of quiet ones included, by method.',
    labelNames: ['method'],
    collect() {
      this.reset();
      for (const method of methods) this.inc({ method }, streams.messages.get(method) ?? 0);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_source_staleness_seconds',
    help: 'Time since the last proof of life of each watch.',
    labelNames: ['kind'],
    collect() {
      for (const { kind, staleMs } of source.health()) {
        if (staleMs !== undefined) this.set({ kind }, staleMs / 1_000);
      }
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_rejected_objects',
    help: 'Policy objects that cannot be read, by kind; the log says why.',
    labelNames: ['kind'],
    collect() {
      for (const [kind, count] of watch.rejections.counts) this.set({ kind }, count);
    },
  });
};
