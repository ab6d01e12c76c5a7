import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient, KubeResponse } from '../client/client.ts';
import { isWireObject } from '../parse/fields.ts';
import { readJson, readStatus } from '../watch/wire-answers.ts';

export interface TokenQuestion {
  readonly token: string;
  /**
   * Whom the token must be meant for. `the API server` = for the API server itself, whatever audience it has; nothing
   * about the audience is known then but that the API server would take the token from its own callers.
   */
  readonly audience: string | { readonly of: 'the API server' };
  readonly signal: AbortSignal;
}

/** A user that the API server recognised by a token. */
export interface AuthenticatedUser {
  readonly name: string;
  /** Empty for users that have none. */
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Those of the audiences asked for that the token is meant for. */
  readonly audiences: readonly string[];
}

export type TokenVerdict =
  | { readonly kind: 'authenticated'; readonly user: AuthenticatedUser }
  /** The token proves nobody, or not to us. `why` is fit for anyone who sent it. */
  | { readonly kind: 'refused'; readonly why: string };

/** What came of asking once: a verdict, or the wish to be asked later (flow control, a server that is about to end). */
export type TokenReviewOutcome =
  | TokenVerdict
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string };

const path = '/apis/authentication.k8s.io/v1/tokenreviews';

/** API servers say how long to stay away whenever they refuse for want of room; this is for what stands before them. */
const usualRetryAfterMs = 1_000;

/**
 * Asks the API server once whose token it is. Throws `unavailable` when it cannot say: it is away, refuses to review
 * tokens, or its answer makes no sense in any part, so that half an answer is never taken for a whole one.
 */
export const askTokenReview = async (
  client: Pick<KubeClient, 'request'>,
  question: TokenQuestion,
): Promise<TokenReviewOutcome> => {
  const { token, audience, signal } = question;
  const spec = typeof audience === 'string' ? { token, audiences: [audience] } : { token };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
  const response = await client.request({ method: 'POST', path, body, changesNothing: true, signal });
  return response.status === 200 || response.status === 201
    ? readVerdict(response.body, question)
    : readRefusal(response);
};

/** The same, for callers that have no use for waiting: an API server that wants to be asked later is `unavailable`. */
export const reviewToken = async (
  client: Pick<KubeClient, 'request'>,
  question: TokenQuestion,
): Promise<TokenVerdict> => {
  const outcome = await askTokenReview(client, question);
  if (outcome.kind === 'later') throw new GatehouseError('unavailable', outcome.why);
  return outcome;
};

const readVerdict = (body: Uint8Array, { token, audience }: TokenQuestion): TokenVerdict => {
  const review = readJson(body);
  if (review?.kind !== 'TokenReview' || !isWireObject(review.status))
    throw garbled('it is not a TokenReview');
  // Between us and the API server may be something that mixes up answers: they repeat what was asked.
  if (isWireObject(review.spec) && (review.spec.token ?? token) !== token) {
    throw garbled('it is about another token');
  }
  const { authenticated = false, error = '', user, audiences } = review.status;
  if (typeof authenticated !== 'boolean' || typeof error !== 'string')
    throw garbled('its status has no form');
  if (!authenticated) {
    return { kind: 'refused', why: error === '' ? 'the API server does not know it' : error };
  }
  const found = readUser(user, audiences);
  // A server that knows nothing of audiences answers without any: its token could be for anybody.
  if (typeof audience === 'string' && !found.audiences.includes(audience)) {
    return { kind: 'refused', why: `it is not for the audience ${audience}` };
  }
  return { kind: 'authenticated', user: found };
};

const readUser = (value: unknown, audiences: unknown): AuthenticatedUser => {
  if (!isWireObject(value)) throw garbled('it names no user');
  const { username, uid = '', groups, extra } = value;
  if (typeof username !== 'string' || username === '' || typeof uid !== 'string') {
    throw garbled('its user has no name');
  }
  return {
    name: username,
    uid,
    groups: readTexts(groups),
    extra: readExtra(extra),
    audiences: readTexts(audiences),
  };
};

/** What has nothing in it is left out, or null. */
const readTexts = (value: unknown): readonly string[] => {
  const list = value ?? [];
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw garbled('a list of texts in it is none');
  }
  return list;
};

const readExtra = (value: unknown): AuthenticatedUser['extra'] => {
  const extra: unknown = value ?? {};
  if (!isWireObject(extra)) throw garbled('the extra of its user is not a map');
  return Object.fromEntries(Object.entries(extra).map(([key, texts]) => [key, readTexts(texts)]));
};

const readRefusal = ({ status, retryAfterMs, body }: KubeResponse): TokenReviewOutcome => {
  const said = readStatus(readJson(body)).message;
  const why = `the API server reviews no tokens at the moment (${status}${said === '' ? '' : `: ${said}`})`;
  // 429 is API Priority and Fairness; a server that is shutting down answers 503. Both say when to come back.
  if (status === 429) return { kind: 'later', afterMs: retryAfterMs ?? usualRetryAfterMs, why };
  if (status >= 500 && retryAfterMs !== undefined) return { kind: 'later', afterMs: retryAfterMs, why };
  throw new GatehouseError(
    'unavailable',
    status === 403
      ? 'the API server does not let us review tokens: grant create on tokenreviews of authentication.k8s.io'
      : why,
    { details: { status, said } },
  );
};

const garbled = (what: string): GatehouseError =>
  new GatehouseError('unavailable', `the API server's answer about a token makes no sense: ${what}`);
