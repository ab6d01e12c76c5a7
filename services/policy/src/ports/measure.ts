import type { Histogram, Metrics } from '@gatehouse/platform/metrics/metrics';
import type { PolicyWatch } from './policy-watch.ts';
import type { RowStreams } from './row-streams.ts';

/** How long batches take, from the index to the streams. */
export const updateSeconds = (metrics: Metrics): Histogram =>
  metrics.histogram({
    name: 'gatehouse_policy_update_seconds',
    help: 'From a batch of changes until no inbound row waits to be compiled any more.',
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5],
  });

export interface Measured {
  readonly watch: Pick<PolicyWatch, 'load' | 'verdicts'>;
  readonly streams: RowStreams;
}

/** Shows what policy counts; nothing is counted here. */
export const measurePolicy = (metrics: Metrics, { watch, streams }: Measured): void => {
  metrics.gauge({
    name: 'gatehouse_policy_rows',
    help: 'Compiled rows that a client watches, by direction.',
    labelNames: ['direction'],
    collect() {
      const { rows, outboundRows } = watch.load;
      this.set({ direction: 'inbound' }, rows);
      this.set({ direction: 'outbound' }, outboundRows);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_rows_waiting',
    help: 'Inbound rows and questions about them that wait for their turn to be compiled.',
    collect() {
      this.set(watch.load.waiting);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_workload_classes',
    help: 'Sets of watched pods that share their inbound rows.',
    collect() {
      this.set(watch.load.classes);
    },
  });
  metrics.counter({
    name: 'gatehouse_policy_rows_compiled_total',
    help: 'Inbound rows compiled, for streams and for questions.',
    collect() {
      this.reset();
      this.inc(watch.load.compiled);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_busy_streams',
    help: 'Streams whose client has not taken its last message yet.',
    collect() {
      this.set(streams.load.busy);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_rejected_objects',
    help: 'Policy objects that cannot be read, by kind; the log says why.',
    labelNames: ['kind'],
    collect() {
      for (const [kind, count] of watch.load.rejected) this.set({ kind }, count);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_contested_addresses',
    help: 'Addresses that more than one Pod, or more than one Service, has, by kind; the log names them.',
    labelNames: ['kind'],
    collect() {
      for (const [kind, count] of Object.entries(watch.load.contested)) this.set({ kind }, count);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_findings',
    help: 'Policy objects that do not do all that they say, by reason (docs/reference/findings.md); `/v1/policies` names them.',
    labelNames: ['reason'],
    collect() {
      for (const [reason, count] of watch.verdicts.reasons) this.set({ reason }, count);
    },
  });
  metrics.gauge({
    name: 'gatehouse_policy_objects',
    help: 'Policy objects by how much of what they say is in force.',
    labelNames: ['state'],
    collect() {
      for (const [state, count] of watch.verdicts.states) this.set({ state }, count);
    },
  });
};
