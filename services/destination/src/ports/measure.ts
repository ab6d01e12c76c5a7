import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { MethodName } from './open-streams.ts';
import type { DestinationServer } from './serve.ts';
import type { ClusterWatch } from './watch.ts';

const methods: readonly MethodName[] = ['Get', 'GetProfile'];

/** Shows what destination counts; nothing is counted here. */
export const measureDestination = (
  metrics: Metrics,
  { watch, server }: { readonly watch: ClusterWatch; readonly server: DestinationServer },
): void => {
  metrics.gauge({
    name: 'gatehouse_destination_streams',
    help: 'Open streams that are answered, by method.',
    labelNames: ['method'],
    collect() {
      for (const method of methods) this.set({ method }, server.streams.count(method));
    },
  });
  metrics.counter({
    name: 'gatehouse_destination_messages_sent_total',
    help: 'Messages handed to streams, refreshes of quiet ones included, by method.',
    labelNames: ['method'],
    collect() {
      this.reset();
      for (const method of methods) this.inc({ method }, server.streams.messages[method]);
    },
  });
  metrics.gauge({
    name: 'gatehouse_destination_answers',
    help: 'Answers kept up to date for open streams, each shared by all who ask the same, by kind: endpoints, profile, place.',
    labelNames: ['kind'],
    collect() {
      this.reset();
      for (const [kind, count] of watch.answers.kinds) this.set({ kind }, count);
    },
  });
  metrics.counter({
    name: 'gatehouse_destination_first_message_builds_total',
    help: 'First messages of Get that had to be written; streams that ask the same share one.',
    collect() {
      this.reset();
      this.inc(server.updates.firstBuilds);
    },
  });
  metrics.gauge({
    name: 'gatehouse_destination_waiting_streams',
    help: 'Streams that wait for their first message.',
    collect() {
      this.set(server.admission.waiting);
    },
  });
};
