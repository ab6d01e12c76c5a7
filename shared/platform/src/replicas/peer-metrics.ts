import type { Counter, Histogram, Metrics } from '../metrics/metrics.ts';

export interface PeerMetrics {
  readonly calls: Counter<'result'>;
  readonly seconds: Histogram;
}

/** What calls between replicas tell; in dev mode there are none. */
export const peerMetrics = (metrics: Metrics, known: () => number): PeerMetrics => {
  metrics.gauge({
    name: 'gatehouse_peers',
    help: 'Other replicas of this service as they were last listed, which is when a client asked about all of them.',
    collect() {
      this.set(known());
    },
  });
  return {
    calls: metrics.counter({
      name: 'gatehouse_peer_requests_total',
      help: 'Questions to other replicas of this service by result: ok, refused, unreachable, timeout, garbage.',
      labelNames: ['result'],
    }),
    seconds: metrics.histogram({
      name: 'gatehouse_peer_request_duration_seconds',
      help: 'How long other replicas took to answer, failures included.',
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2],
    }),
  };
};
