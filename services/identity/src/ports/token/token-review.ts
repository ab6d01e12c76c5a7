import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import type { RateLimit } from '@gatehouse/core/token-bucket';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import {
  askTokenReview,
  type TokenReviewOutcome,
  type TokenVerdict,
} from '@gatehouse/platform/kube/reviews/token-review';
import { within } from '@gatehouse/platform/process/within';
import type { Asking, Caller, TokenReviewer } from '../../certify/certify.ts';
import { readReviewedCaller } from '../../core/token/reviewed-caller.ts';
import { ReviewQueue } from './review-queue.ts';
import { SharedWork } from './shared-work.ts';
import type { ReviewMetrics } from './token-metrics.ts';

export interface TokenReviewOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly audience: string;
  readonly requirePodBoundToken: boolean;
  readonly limit: RateLimit;
  /** What tokens that wait for their review may keep in memory, in bytes. */
  readonly maxWaitingBytes: number;
  readonly metrics: ReviewMetrics;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** From the call to the verdict. The proxy sets no deadline and asks again 10 s after an error. */
const patienceMs = 8_000;

/**
 * Asks the API server whose token it is (design §4 step 3). Calls with the same token that come while it is asked share
 * its answer; nothing is remembered beyond that, so that a deleted pod's token is refused as soon as the API server
 * refuses it: it remembers a good verdict itself, for ten seconds (seen).
 */
export class TokenReview implements TokenReviewer {
  readonly #options: TokenReviewOptions;
  readonly #now: () => number;
  readonly #shared = new SharedWork<TokenVerdict>();
  readonly #queue: ReviewQueue;

  constructor(options: TokenReviewOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#queue = new ReviewQueue({
      limit: options.limit,
      maxBytes: options.maxWaitingBytes,
      now: this.#now,
    });
  }

  /** How many reviews wait for a permit to ask the API server. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  review(bytes: Uint8Array, { from, signal }: Asking): Promise<Caller> {
    const token = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    // RFC 6750 §2.1, which RFC 7515's compact form keeps to. Whatever else was sent is not repeated to anybody.
    if (!/^[\w.=~+/-]+$/.test(token)) {
      throw new GatehouseError('invalid-argument', 'the token is not text that could be a token');
    }
    return this.#callerOf(
      this.#shared.join(token, signal, (left) => this.#queueAndReview(token, { from, signal: left })),
    );
  }

  async #queueAndReview(token: string, asking: Asking): Promise<TokenVerdict> {
    const { metrics } = this.#options;
    const { signal } = asking;
    const patience = { until: this.#now() + patienceMs, signal };
    const permit = await this.#queue
      .take({ ...asking, ...patience, bytes: token.length })
      .catch((error: unknown) => {
        metrics.count(signal.aborted ? 'abandoned' : 'not_asked');
        throw error;
      });
    try {
      for (;;) {
        const outcome = await this.#ask(token, patience);
        if (outcome.kind !== 'later') return outcome;
        await permit.again(outcome.afterMs);
      }
    } finally {
      permit.end();
    }
  }

  async #ask(
    token: string,
    { until, signal }: { readonly until: number; readonly signal: AbortSignal },
  ): Promise<TokenReviewOutcome> {
    const { client, audience, metrics } = this.#options;
    const asked = this.#now();
    const deadline = { ms: Math.max(0, until - asked), signal, late: tooLate };
    try {
      const outcome = await within(deadline, (inTime) =>
        askTokenReview(client, { token, audience, signal: inTime }),
      );
      metrics.count(outcome.kind);
      return outcome;
    } catch (error) {
      metrics.count(signal.aborted ? 'abandoned' : 'unavailable');
      throw error;
    } finally {
      metrics.observe(this.#now() - asked);
    }
  }

  async #callerOf(review: Promise<TokenVerdict>): Promise<Caller> {
    const verdict = await review;
    if (verdict.kind === 'refused') throw refused(verdict.why);
    const caller = readReviewedCaller(verdict.user);
    if (!caller.ok) throw refused(caller.problems.map(printProblem).join('; '));
    if (caller.value.pod === undefined && this.#options.requirePodBoundToken) {
      throw refused('it is not bound to a pod: mount a projected token (GATEHOUSE_REQUIRE_POD_BOUND_TOKEN)');
    }
    return caller.value;
  }
}

const tooLate = (): GatehouseError =>
  new GatehouseError('unavailable', `the API server reviewed no token within ${patienceMs / 1000} s`);

const refused = (why: string): GatehouseError =>
  new GatehouseError('failed-precondition', `the token is not accepted: ${why}`);
