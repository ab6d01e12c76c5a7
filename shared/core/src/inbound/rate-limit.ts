import { printIdentity } from '../mesh/workload-identity.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { ClientTls } from './evaluate-inbound.ts';
import type { InboundProtocol, LocalRateLimit } from './inbound-server.ts';

/** The limit of a port; undefined where its protocol can have none, or has none. */
export const rateLimitOf = (protocol: InboundProtocol): LocalRateLimit | undefined =>
  'rateLimit' in protocol ? protocol.rateLimit : undefined;

/** What limits a client beside the total, and with whom it is counted; undefined = nothing. */
export interface ClientLimit {
  readonly requestsPerSecond: number;
  /** Equal for clients that are counted together. */
  readonly bucket: string;
}

/** The rule of `contract/proxy.md` §6.4: the override that names the client, else the limit of each identity. */
export const clientLimit = (limit: LocalRateLimit, tls: ClientTls): ClientLimit | undefined => {
  if (tls.kind === 'identified') {
    const at = limit.overrides.findLastIndex(({ identities }) =>
      identities.some((identity) => printIdentity(identity) === tls.name),
    );
    const override = limit.overrides[at];
    if (override !== undefined)
      return { requestsPerSecond: override.requestsPerSecond, bucket: `override/${at}` };
  }
  if (limit.identity === undefined) return undefined;
  const client = tls.kind === 'identified' ? `${tls.id}/${tls.name}` : 'nobody';
  return { requestsPerSecond: limit.identity, bucket: `identity/${client}` };
};

/** The buckets of one message: a proxy that is sent another begins with full ones. Times are as TokenBucket's. */
export class RateLimiter {
  readonly #limit: LocalRateLimit;
  readonly #total: TokenBucket | undefined;
  readonly #clients = new Map<string, TokenBucket>();

  constructor(limit: LocalRateLimit) {
    this.#limit = limit;
    this.#total = limit.total === undefined ? undefined : bucketOf(limit.total);
  }

  /** Counts a request, and answers whether it may pass. The total counts also what the client's own limit refuses. */
  admits(tls: ClientTls, now: number): boolean {
    if (this.#total !== undefined && this.#total.take(now) > 0) return false;
    const own = clientLimit(this.#limit, tls);
    if (own === undefined) return true;
    const bucket = this.#clients.get(own.bucket) ?? bucketOf(own.requestsPerSecond);
    this.#clients.set(own.bucket, bucket);
    return bucket.take(now) === 0;
  }
}

const bucketOf = (requestsPerSecond: number): TokenBucket =>
  new TokenBucket({ perSecond: requestsPerSecond, burst: requestsPerSecond });
