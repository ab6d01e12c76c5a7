import { createHash } from 'node:crypto';
import { claimedAudiences } from '../core/claimed-audiences.ts';
import { isDnsName } from '../core/workload-identity.ts';
import { GatehouseError } from '../error.ts';
import { type Access, reviewAccess } from '../kube/access-review.ts';
import type { KubeClient } from '../kube/client.ts';
import { type AuthenticatedUser, reviewToken, type TokenQuestion } from '../kube/token-review.ts';
import type { AdminAuthenticator, AdminCaller, AdminRequest, AdminVerdict } from './authenticator.ts';
import { FailureBudget } from './failure-budget.ts';
import { FreshAnswers } from './fresh-answers.ts';
import { adminGroup } from './route-access.ts';
import { Turns } from './turns.ts';

/** What tokens for the REST API alone are made for: `kubectl create token NAME --audience gatehouse`. */
export const adminAudience = 'gatehouse';

export interface ClusterAuthenticatorOptions {
  readonly client: Pick<KubeClient, 'request'>;
  /** Told of each question that the API server is asked. */
  readonly onReview?: (review: 'TokenReview' | 'SubjectAccessReview') => void;
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number;
}

/** How long an answer of the API server counts, from when it was asked for (design §9). */
const freshMs = 10_000;

/** More than a whole team's dashboards; a flood of other tokens stays below it (`failures`). */
const maxTokens = 2_000;

/** Of one caller: as many as one list asks about, and then some. */
const maxPermissions = 2_000;

const maxKnownGood = 2_000;

/** Node refuses headers of more than 16 KiB anyway. */
const maxTokenLength = 16 * 1024;

/** Somebody whose token was accepted at most `freshMs` ago, and what is known of what he may do. */
interface Recognised {
  readonly user: AuthenticatedUser;
  /** They end with the token's own answer, so nothing that a yes rests on is older than `freshMs`. */
  readonly permissions: FreshAnswers<boolean>;
}

/**
 * Who may use the REST API in a cluster: whoever the API server knows by the token (TokenReview) and allows the path
 * (SubjectAccessReview). The API server is protected from us: answers are kept for ten seconds, those who ask the same at
 * once share one question, and tokens that are not accepted are limited by the address that they come from.
 */
export class ClusterAuthenticator implements AdminAuthenticator {
  readonly #client: Pick<KubeClient, 'request'>;
  readonly #onReview: NonNullable<ClusterAuthenticatorOptions['onReview']>;
  readonly #now: () => number;
  readonly #turns = new Turns({ max: 32, maxWaiting: 1_024, patienceMs: 5_000, who: 'the API server' });
  readonly #failures: FailureBudget;
  /** By the digest of the token: tokens themselves are kept nowhere. */
  readonly #tokens: FreshAnswers<Recognised | 'unknown'>;
  /** Digests of tokens that were accepted when they were last reviewed: a flood of others does not concern them. */
  readonly #knownGood = new Set<string>();

  constructor({ client, onReview = () => {}, now = () => performance.now() }: ClusterAuthenticatorOptions) {
    this.#client = client;
    this.#onReview = onReview;
    this.#now = now;
    this.#tokens = new FreshAnswers({ freshMs, max: maxTokens, now });
    this.#failures = new FailureBudget({
      burst: { address: 20, all: 100 },
      perSecond: { address: 1, all: 20 },
      maxAddresses: 1_000,
      now,
    });
  }

  async authenticate({ token, verb, path, from }: AdminRequest): Promise<AdminVerdict> {
    if (token === undefined || !isToken(token)) return { kind: 'unknown' };
    const known = await this.#recognise(token, from);
    if (known === 'unknown') return { kind: 'unknown' };
    const caller = this.#callerOf(known);
    // A refused path counts as a failure too: any pod of the cluster has a token that the API server knows.
    const question = (): Promise<boolean> =>
      this.#unlessTooMany(from, () => this.#ask(known.user, { kind: 'path', verb, path }), Boolean);
    return (await known.permissions.get(`${verb} ${path}`, question))
      ? { kind: 'accepted', caller }
      : { kind: 'refused', caller };
  }

  #recognise(token: string, from: string): Promise<Recognised | 'unknown'> {
    const digest = createHash('sha256').update(token).digest('base64');
    return this.#tokens.get(digest, async () => {
      const review = () => this.#review(token);
      const found = this.#knownGood.has(digest)
        ? await review()
        : await this.#unlessTooMany(from, review, (user) => user !== 'unknown');
      this.#knownGood.delete(digest);
      if (found === 'unknown') return found;
      this.#keepGood(digest);
      return {
        user: found,
        permissions: new FreshAnswers({ freshMs, max: maxPermissions, now: this.#now }),
      };
    });
  }

  #keepGood(digest: string): void {
    this.#knownGood.add(digest);
    const [oldest] = this.#knownGood;
    if (this.#knownGood.size > maxKnownGood && oldest !== undefined) this.#knownGood.delete(oldest);
  }

  /** A token that says it is for `gatehouse` is asked about as such first; whatever it says, the API server decides. */
  async #review(token: string): Promise<AuthenticatedUser | 'unknown'> {
    const audiences: TokenQuestion['audience'][] = claimedAudiences(token).includes(adminAudience)
      ? [adminAudience, { of: 'the API server' }]
      : [{ of: 'the API server' }];
    for (const audience of audiences) {
      const verdict = await this.#turns.take((signal) => {
        this.#onReview('TokenReview');
        return reviewToken(this.#client, { token, audience, signal });
      });
      if (verdict.kind === 'authenticated') return verdict.user;
    }
    return 'unknown';
  }

  #callerOf({ user, permissions }: Recognised): AdminCaller {
    return {
      name: user.name,
      mayRead: (resource, namespace) => {
        const access: Access = {
          kind: 'resource',
          verb: 'get',
          group: adminGroup,
          resource,
          // What cannot be a namespace is in none: whoever may see all may see that too.
          namespace: namespace !== undefined && isNamespace(namespace) ? namespace : '',
        };
        return permissions.get(`${resource} in ${access.namespace}`, () => this.#ask(user, access));
      },
    };
  }

  async #ask(user: AuthenticatedUser, access: Access): Promise<boolean> {
    const verdict = await this.#turns.take((signal) => {
      this.#onReview('SubjectAccessReview');
      return reviewAccess(this.#client, { user, access, signal });
    });
    return verdict.kind === 'allowed';
  }

  async #unlessTooMany<T>(
    from: string,
    attempt: () => Promise<T>,
    isGood: (result: T) => boolean,
  ): Promise<T> {
    const giveBack = this.#failures.take(from);
    if (giveBack === undefined) {
      throw new GatehouseError(
        'resource-exhausted',
        'too many requests without permission: try again in a few seconds',
      );
    }
    // An API server that does not answer is nobody's failure here.
    const result = await attempt().catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (isGood(result)) giveBack();
    return result;
  }
}

/** RFC 6750 §2.1. What has another form never was a token, and is not worth a question. */
const isToken = (text: string): boolean => text.length <= maxTokenLength && /^[\w~+/.-]+=*$/.test(text);

const isNamespace = (text: string): boolean => isDnsName(text) && !text.includes('.');
