import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { DestinationServer } from './serve.ts';

/** Shows what destination counts; nothing is counted here. */
export const measureDestination = (metrics: Metrics, server: Pick<DestinationServer, 'load'>): void => {
  metrics.gauge({
    name: 'gatehouse_destination_answers',
    help: 'Answers kept up to date for open streams, each shared by all who ask the same, by kind: endpoints, profile, place.',
    labelNames: ['kind'],
    collect() {
      this.reset();
      for (const [kind, count] of server.load.answers) this.set({ kind }, count);
    },
  });
  metrics.counter({
    name: 'gatehouse_destination_first_message_builds_total',
    help: 'First messages of Get that had to be written; streams that ask the same share one.',
    collect() {
      this.reset();
      this.inc(server.load.firstBuilds);
    },
  });
  metrics.gauge({
    name: 'gatehouse_destination_waiting_streams',
    help: 'Streams that wait for their first message.',
    collect() {
      this.set(server.load.waiting);
    },
  });
};
