import type { ServiceBase } from '@gatehouse/platform/service/service-base';
import { devIssuer, identityAudience } from '@gatehouse/platform/state/dev-tokens';
import type { TokenReviewer } from '../../certify/certify.ts';
import type { IdentityConfig } from '../../config.ts';
import { JwksReviewer } from './jwks-reviewer.ts';
import { type KeySource, keysOfApiServer, keysOfFile } from './key-source.ts';
import { TokenKeys } from './token-keys.ts';
import { keyMetrics, reviewMetrics } from './token-metrics.ts';
import { TokenReview } from './token-review.ts';
import type { WatchedCallers } from './watched-callers.ts';

export interface OpenedReviewer {
  readonly reviewer: TokenReviewer;
  /** What has to be kept new, beside the watch; undefined where the API server is asked for each token. */
  readonly keys: TokenKeys | undefined;
}

/**
 * Who says whose token it is (design §4 step 3). On a cluster the API server for each call, or its keys and the watch,
 * and the API server only for what they cannot decide; on a folder of manifests the dev keys and the watch.
 */
export const openReviewer = async (
  config: IdentityConfig,
  { platform, log, metrics: told, now, elapsed }: ServiceBase,
  callers: WatchedCallers,
): Promise<OpenedReviewer> => {
  const { requirePodBoundToken } = config;
  const audience = identityAudience;
  let asked: TokenReview | undefined;
  let keys: TokenKeys | undefined;
  const metrics = reviewMetrics(told, { waiting: () => asked?.waiting ?? 0 });
  keyMetrics(told, { keys: () => keys });

  const byKeys = async (source: KeySource): Promise<OpenedReviewer> => {
    keys = new TokenKeys({
      source,
      maxStalenessMs: config.maxStalenessMs,
      log: log.child({ part: 'token keys' }),
      now,
      elapsed,
    });
    // An API server that is away does not stop the start: readiness tells, and the keys are tried again.
    await keys.refresh();
    const reviewer = new JwksReviewer({
      keys,
      callers,
      secondOpinion: asked,
      audience,
      requirePodBoundToken,
      leewayMs: config.clockSkewMs,
      now,
    });
    return { reviewer, keys };
  };

  switch (platform.kind) {
    case 'cluster': {
      const limit = { perSecond: config.tokenReviewRate, burst: config.tokenReviewBurst };
      asked = new TokenReview({
        client: platform.client,
        audience,
        requirePodBoundToken,
        limit,
        maxWaitingBytes: config.certifyQueueBytes,
        metrics,
      });
      return config.tokenReviewer === 'jwks'
        ? byKeys(keysOfApiServer(platform.client))
        : { reviewer: asked, keys: undefined };
    }
    case 'dev':
      return byKeys(keysOfFile(platform.state.devJwks, devIssuer));
  }
};
