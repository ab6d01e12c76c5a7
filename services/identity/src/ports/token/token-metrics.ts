import type { TokenReviewOutcome } from '@gatehouse/platform/kube/reviews/token-review';
import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { TokenKeys } from './token-keys.ts';

/** What came of one question to the API server; `not_asked` = it was never sent, for want of a permit. */
export type ReviewResult = TokenReviewOutcome['kind'] | 'unavailable' | 'abandoned' | 'not_asked';

export interface ReviewMetrics {
  count(result: ReviewResult): void;
  /** How long the API server took for one answer. */
  observe(tookMs: number): void;
}

/** What is told of the reviews that the API server is asked for. */
export const reviewMetrics = (
  metrics: Metrics,
  { waiting }: { readonly waiting: () => number },
): ReviewMetrics => {
  metrics.gauge({
    name: 'gatehouse_identity_token_reviews_waiting',
    help: 'Tokens that wait for the API server to be asked.',
    collect() {
      this.set(waiting());
    },
  });
  const results = metrics.counter({
    name: 'gatehouse_identity_token_reviews_total',
    help:
      'TokenReviews by result: authenticated, refused, later (the API server wants to be asked again), unavailable, ' +
      'abandoned (no caller waits any more), not_asked (no permit came in time).',
    labelNames: ['result'],
  });
  const duration = metrics.histogram({
    name: 'gatehouse_identity_token_review_duration_seconds',
    help: 'How long the API server takes to answer a TokenReview.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8],
  });
  return {
    count: (result) => results.inc({ result }),
    observe: (tookMs) => duration.observe(tookMs / 1_000),
  };
};

/** What is told of the keys that tokens are verified with; nothing but zeros where the API server is asked instead. */
export const keyMetrics = (
  metrics: Metrics,
  { keys }: { readonly keys: () => Pick<TokenKeys, 'current' | 'failure' | 'readAt'> | undefined },
): void => {
  metrics.gauge({
    name: 'gatehouse_identity_token_keys',
    help: 'Public keys that tokens are verified with; 0 when none was read, or those that were are too old.',
    collect() {
      this.set(keys()?.current?.keys.size ?? 0);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_token_keys_read_timestamp_seconds',
    help: 'When the keys of tokens were last read.',
    collect() {
      this.set((keys()?.readAt ?? 0) / 1_000);
    },
  });
  metrics.gauge({
    name: 'gatehouse_identity_token_keys_failing',
    help: 'Whether the keys of tokens cannot be read at the moment: 1 or 0; the log says why.',
    collect() {
      this.set(keys()?.failure === undefined ? 0 : 1);
    },
  });
};
