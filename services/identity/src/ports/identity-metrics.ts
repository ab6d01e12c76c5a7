import { asGatehouseError } from '@gatehouse/core/error';
import type { Method, Methods } from '@gatehouse/platform/grpc/transport';
import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { CertifyQueue, QueueRefusal } from '../certify/certify-queue.ts';
import type { WatchedCallers } from './token/watched-callers.ts';

export interface Measured {
  readonly queue: CertifyQueue;
  readonly callers: WatchedCallers;
}

/** Registers what identity tells of itself; the values are read at each scrape. */
export const measureIdentity = (metrics: Metrics, { queue, callers }: Measured): void => {
  metrics.gauge({
    name: 'gatehouse_identity_certify_waiting',
    help: 'Certify calls that wait for their turn.',
    collect() {
      this.set(queue.waiting);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_pods_awaited',
    help: 'Pods with a valid token that the watch does not show yet.',
    collect() {
      this.set(callers.waiting);
    },
  });
};

/** Counts calls that were sent away while they waited for their turn, or before, by reason. */
export const countSentAway = (metrics: Metrics): ((reason: QueueRefusal) => void) => {
  const counter = metrics.counter({
    name: 'gatehouse_identity_certify_refused_total',
    help: 'Certify calls answered Unavailable in the queue: `queue-full`, `made-room` for an address with fewer, `waited-too-long`.',
    labelNames: ['reason'],
  });
  return (reason) => counter.inc({ reason });
};

/** Counts Certify by its outcome: `issued`, or the code of the error. */
export const countCertificates = (methods: Methods, metrics: Metrics): Methods => {
  const counter = metrics.counter({
    name: 'gatehouse_identity_certificates_total',
    help: 'Certificates asked for by workloads, by outcome.',
    labelNames: ['result'],
  });
  const counted = (method: Method): Method =>
    method.kind !== 'unary'
      ? method
      : {
          kind: 'unary',
          handle: async (call) => {
            try {
              const answer = await method.handle(call);
              counter.inc({ result: 'issued' });
              return answer;
            } catch (error) {
              counter.inc({ result: asGatehouseError(error).code });
              throw error;
            }
          },
        };
  return Object.fromEntries(Object.entries(methods).map(([path, method]) => [path, counted(method)]));
};
