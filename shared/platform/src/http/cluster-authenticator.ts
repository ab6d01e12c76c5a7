import { createHash } from 'node:crypto';
import { claimedAudiences } from '@gatehouse/core/claimed-audiences';
import { GatehouseError } from '@gatehouse/core/error';
import { isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeClient } from '../kube/client/client.ts';
import { type Access, reviewAccess } from '../kube/reviews/access-review.ts';
import { type AuthenticatedUser, reviewToken, type TokenQuestion } from '../kube/reviews/token-review.ts';
import { AddressBudget } from '../limits/address-budget.ts';
import { BoundedQueue } from '../limits/bounded-queue.ts';
import { FreshAnswers } from '../limits/fresh-answers.ts';
import { holderOf } from '../limits/holder.ts';
import type { AdminAuthenticator, AdminCaller, AdminRequest, AdminVerdict } from './authenticator.ts';
import { adminGroup } from './route-access.ts';

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

/** With one token in `freshMs`: as many as two lists over all namespaces ask about. */
const maxPermissions = 2_000;

const maxKnownGood = 2_000;

/** Node refuses headers of more than 16 KiB anyway. */
const maxTokenLength = 16 * 1024;

/** Where an attempt comes from. */
interface Origin {
  /** Of the token. */
  readonly digest: string;
  readonly address: string;
}

/** A caller whose token was accepted at most `freshMs` ago, and what is known of what it may do. */
interface Recognised {
  readonly user: AuthenticatedUser;
  /** They end with the token's own answer, so nothing that a yes rests on is older than `freshMs`. */
  readonly permissions: FreshAnswers<boolean>;
}

/**
 * Who may use the REST API in a cluster: callers that the API server knows by the token (TokenReview) and allows the path
 * (SubjectAccessReview). The API server is protected from us: answers are kept for ten seconds, those who ask the same at
 * once share one question, and tokens that are not accepted are limited by the address that they come from.
 */
export class ClusterAuthenticator implements AdminAuthenticator {
  readonly #client: Pick<KubeClient, 'request'>;
  readonly #onReview: NonNullable<ClusterAuthenticatorOptions['onReview']>;
  readonly #now: () => number;
  readonly #queue = new BoundedQueue({
    max: 32,
    maxWaiting: 1_024,
    patienceMs: 5_000,
    who: 'the API server',
  });
  readonly #failures: AddressBudget;
  /** By the digest of the token: tokens themselves are kept nowhere. */
  readonly #tokens: FreshAnswers<Recognised | 'unknown'>;
  /** Digests of tokens that were admitted when they last came: a flood of others does not concern them. */
  readonly #knownGood = new Set<string>();

  constructor({ client, onReview = () => {}, now = () => performance.now() }: ClusterAuthenticatorOptions) {
    this.#client = client;
    this.#onReview = onReview;
    this.#now = now;
    this.#tokens = new FreshAnswers({ freshMs, max: maxTokens, now });
    this.#failures = new AddressBudget({
      burst: { address: 20, all: 100 },
      perSecond: { address: 1, all: 20 },
      maxAddresses: 1_000,
      now,
    });
  }

  async authenticate({ token, verb, path, from: address }: AdminRequest): Promise<AdminVerdict> {
    if (token === undefined || !isToken(token)) return { kind: 'unknown' };
    const from: Origin = { digest: createHash('sha256').update(token).digest('base64'), address };
    const known = await this.#tokens.get(from.digest, () =>
      this.#unlessTooMany(
        from,
        () => this.#review(token, address),
        (found) => found !== 'unknown',
      ),
    );
    if (known === 'unknown') return { kind: 'unknown' };
    const caller = this.#callerOf(known, address);
    // A refused path counts as a failure too: any pod of the cluster has a token that the API server knows.
    const isAllowed = await permissionOf(known.permissions, `${verb} ${path}`, () =>
      this.#unlessTooMany(from, () => this.#ask(known.user, { kind: 'path', verb, path }, address), Boolean),
    );
    if (!isAllowed) return { kind: 'refused', caller };
    this.#keepGood(from.digest);
    return { kind: 'accepted', caller };
  }

  #keepGood(digest: string): void {
    this.#knownGood.delete(digest);
    this.#knownGood.add(digest);
    const [oldest] = this.#knownGood;
    if (this.#knownGood.size > maxKnownGood && oldest !== undefined) this.#knownGood.delete(oldest);
  }

  /** A token that says it is for `gatehouse` is asked about as such first; whatever it says, the API server decides. */
  async #review(token: string, address: string): Promise<Recognised | 'unknown'> {
    const audiences: TokenQuestion['audience'][] = claimedAudiences(token).includes(adminAudience)
      ? [adminAudience, { of: 'the API server' }]
      : [{ of: 'the API server' }];
    for (const audience of audiences) {
      const verdict = await this.#queue.take(holderOf(address), (signal) => {
        this.#onReview('TokenReview');
        return reviewToken(this.#client, { token, audience, signal });
      });
      if (verdict.kind === 'authenticated') {
        const permissions = new FreshAnswers<boolean>({ freshMs, max: maxPermissions, now: this.#now });
        return { user: verdict.user, permissions };
      }
    }
    return 'unknown';
  }

  #callerOf({ user, permissions }: Recognised, address: string): AdminCaller {
    return {
      name: user.name,
      mayRead: async (resource, namespace) => {
        const access: Access = {
          kind: 'resource',
          verb: 'get',
          group: adminGroup,
          resource,
          // What cannot be a namespace is in none: anyone who may see all may see that too.
          namespace: namespace !== undefined && isNamespace(namespace) ? namespace : '',
        };
        return permissionOf(permissions, `${resource} in ${access.namespace}`, () =>
          this.#ask(user, access, address),
        );
      },
    };
  }

  async #ask(user: AuthenticatedUser, access: Access, address: string): Promise<boolean> {
    const verdict = await this.#queue.take(holderOf(address), (signal) => {
      this.#onReview('SubjectAccessReview');
      return reviewAccess(this.#client, { user, access, signal });
    });
    return verdict.kind === 'allowed';
  }

  /** Throws at once, so that what is refused here is not even remembered as a question. */
  #unlessTooMany<T>(
    { digest, address }: Origin,
    attempt: () => Promise<T>,
    isGood: (result: T) => boolean,
  ): Promise<T> {
    const giveBack = this.#knownGood.has(digest) ? () => {} : this.#failures.take(address);
    if (giveBack === undefined) throw tooMany('too many requests without permission');
    return attempt().then(
      (result) => {
        if (isGood(result)) giveBack();
        else this.#knownGood.delete(digest);
        return result;
      },
      (error: unknown) => {
        // An API server that does not answer is nobody's failure here.
        giveBack();
        throw error;
      },
    );
  }
}

/** One token asks no more than a bounded number of different questions; what has been answered is free. */
const permissionOf = (
  permissions: FreshAnswers<boolean>,
  question: string,
  ask: () => Promise<boolean>,
): Promise<boolean> =>
  permissions.get(question, () => {
    if (permissions.size >= maxPermissions) throw tooMany('too many different questions');
    return ask();
  });

const tooMany = (what: string): GatehouseError =>
  new GatehouseError('resource-exhausted', `${what}: try again in a few seconds`);

/** RFC 6750 §2.1. What has another form never was a token, and is not worth a question. */
const isToken = (text: string): boolean => text.length <= maxTokenLength && /^[\w~+/.-]+=*$/.test(text);

const isNamespace = (text: string): boolean => isDnsName(text) && !text.includes('.');
