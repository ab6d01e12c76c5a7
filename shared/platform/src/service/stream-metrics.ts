import type { Metrics } from '../metrics/metrics.ts';
import type { OpenStreams } from './open-streams.ts';
import type { ServiceName } from './service.ts';

/** Shows how many streams a service has and what it sends on them, under the names that `/v1/streams` gives to methods. */
export const measureStreams = (
  metrics: Metrics,
  { service, streams }: { readonly service: ServiceName; readonly streams: OpenStreams<string> },
): void => {
  metrics.gauge({
    name: `gatehouse_${service}_streams`,
    help: 'Open streams that are answered, by method.',
    labelNames: ['method'],
    collect() {
      for (const [method, count] of streams.counts) this.set({ method }, count);
    },
  });
  metrics.counter({
    name: `gatehouse_${service}_messages_sent_total`,
    help: 'Messages handed to streams, refreshes of quiet ones included, by method.',
    labelNames: ['method'],
    collect() {
      this.reset();
      for (const [method, count] of streams.messages) this.inc({ method }, count);
    },
  });
};
