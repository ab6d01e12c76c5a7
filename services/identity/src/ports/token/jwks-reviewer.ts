import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, printProblem } from '@gatehouse/core/problem';
import type { Asking, Caller, TokenReviewer } from '../../certify/certify.ts';
import { type CompactJws, readCompactJws } from '../../core/token/compact-jws.ts';
import { checkClaims, readClaims, type TokenClaims } from '../../core/token/token-claims.ts';
import { findKey, isTokenAlgorithm } from './key-set.ts';
import type { TokenKeys } from './token-keys.ts';
import type { Standing, WatchedCallers } from './watched-callers.ts';

export interface JwksReviewerOptions {
  readonly keys: Pick<TokenKeys, 'current' | 'failure' | 'notReady' | 'refresh'>;
  readonly callers: Pick<WatchedCallers, 'judge' | 'remember'>;
  /** Who is asked when keys and watch cannot say: the API server. A folder of manifests has nobody. */
  readonly secondOpinion: TokenReviewer | undefined;
  readonly audience: string;
  readonly requirePodBoundToken: boolean;
  readonly leewayMs: number;
  readonly now: () => number;
}

/** A token on its way through the review. */
interface Case {
  readonly token: Uint8Array;
  readonly jws: CompactJws;
  readonly asking: Asking;
}

type Finding =
  | { readonly kind: 'signed'; readonly claims: TokenClaims }
  /** It may be good by keys that are newer than ours. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** One of our keys signed it, under a name that is not shown (any more). */
  | { readonly kind: 'other issuer'; readonly why: string }
  | { readonly kind: 'no keys'; readonly why: string };

/**
 * Believes a token by its issuer's public keys and by what the watch shows, without asking anybody: a cluster that
 * restarts as a whole does not queue behind its API server. Only what neither can decide goes to the second opinion.
 *
 * The JWS is verified with node:crypto rather than jose: this is the hot path of every certificate, and jose's promises
 * and WebCrypto cost 30 µs and a thread hop on top of the 20 (RS256) or 70 µs (ES256) of the signature itself. Tests
 * hold both against each other.
 */
export class JwksReviewer implements TokenReviewer {
  readonly #options: JwksReviewerOptions;

  constructor(options: JwksReviewerOptions) {
    this.#options = options;
  }

  review(token: Uint8Array, asking: Asking): Caller | Promise<Caller> {
    const jws = valid(readCompactJws(token), 'invalid-argument');
    // What no key could be for makes nobody read the keys again.
    if (!isTokenAlgorithm(jws.algorithm))
      throw refused(`the algorithm ${quote(jws.algorithm)} is not accepted`);
    const about: Case = { token, jws, asking };
    const finding = this.#examine(jws);
    return finding.kind === 'signed' ? this.#judge(about, finding.claims) : this.#lookAgain(about);
  }

  /** Signature and claims. Throws for what no key will ever make good. */
  #examine(jws: CompactJws): Finding {
    const { keys, audience, leewayMs, now } = this.#options;
    const { current } = keys;
    if (current === undefined) {
      return { kind: 'no keys', why: keys.notReady() ?? 'the keys of tokens are too old to be believed' };
    }
    const key = findKey(current.keys, jws.keyId);
    if (key === undefined) {
      return { kind: 'unknown', why: `no key of its issuer has the id ${quote(jws.keyId)}` };
    }
    // RFC 8725 §3.1: the key says which algorithm it is for, and the token must agree. So `none` has no key at all, and
    // a public key is never taken for the secret of HS256.
    if (jws.algorithm !== key.algorithm) {
      throw refused(`it claims the algorithm ${quote(jws.algorithm)}, its key is for ${key.algorithm}`);
    }
    if (!key.verify(jws.signed, jws.signature)) throw refused('its signature does not verify');
    const claims = valid(readClaims(jws.payload), 'failed-precondition');
    // An API server may be given another issuer and keep its keys.
    if (claims.issuer !== current.issuer) {
      return { kind: 'other issuer', why: `its issuer ${quote(claims.issuer)} is not ours` };
    }
    const expected = { issuer: current.issuer, audience, leewayMs, nowMs: now() };
    valid(checkClaims(claims, expected), 'failed-precondition');
    if (claims.pod === undefined && this.#options.requirePodBoundToken) {
      throw refused('it is not bound to a pod: mount a projected token (GATEHOUSE_REQUIRE_POD_BOUND_TOKEN)');
    }
    return { kind: 'signed', claims };
  }

  async #lookAgain(about: Case): Promise<Caller> {
    const { keys } = this.#options;
    await keys.refresh();
    const finding = this.#examine(about.jws);
    switch (finding.kind) {
      case 'signed':
        return this.#judge(about, finding.claims);
      case 'no keys':
        return this.#askElsewhere(about, unavailable(finding.why));
      case 'other issuer':
        // An API server that has several issuers takes tokens of them all, and shows only the first.
        return this.#askElsewhere(about, refused(finding.why));
      case 'unknown': {
        // Whether there is such a key by now nobody can say while the keys cannot be read.
        const { failure } = keys;
        if (failure === undefined) throw refused(finding.why);
        return this.#askElsewhere(about, unavailable(`the keys of tokens cannot be read: ${failure}`));
      }
    }
  }

  #judge(about: Case, claims: TokenClaims): Caller | Promise<Caller> {
    if (claims.alsoBoundTo !== undefined) {
      return this.#askElsewhere(
        about,
        refused(`it is bound to ${claims.alsoBoundTo}, which nobody here watches`),
      );
    }
    const standing = this.#options.callers.judge(claims, about.asking.signal);
    return standing instanceof Promise
      ? standing.then((late) => this.#settle(about, claims, late))
      : this.#settle(about, claims, standing);
  }

  #settle(about: Case, claims: TokenClaims, standing: Standing): Caller | Promise<Caller> {
    switch (standing.kind) {
      case 'known':
        return callerOf(claims);
      case 'refused':
        throw refused(standing.why);
      case 'undecided':
        return this.#askElsewhere(about, unavailable(standing.why));
      case 'unseen':
        return this.#askElsewhere(about, refused(standing.why)).catch((error: unknown) => {
          if (isRefusal(error)) this.#options.callers.remember(standing.uid);
          throw error;
        });
    }
  }

  /** `otherwise` is what there is to say where nobody else can be asked. */
  async #askElsewhere({ token, asking }: Case, otherwise: GatehouseError): Promise<Caller> {
    const { secondOpinion } = this.#options;
    if (secondOpinion === undefined) throw otherwise;
    return secondOpinion.review(token, asking);
  }
}

const callerOf = ({ namespace, serviceAccount, pod }: TokenClaims): Caller => ({
  namespace,
  serviceAccount: serviceAccount.name,
  pod,
});

const refused = (why: string): GatehouseError =>
  new GatehouseError('failed-precondition', `the token is not accepted: ${why}`);

const unavailable = (why: string): GatehouseError => new GatehouseError('unavailable', why);

const isRefusal = (error: unknown): boolean =>
  error instanceof GatehouseError && error.code === 'failed-precondition';

const valid = <T>(outcome: Parsed<T>, code: 'invalid-argument' | 'failed-precondition'): T => {
  if (outcome.ok) return outcome.value;
  throw new GatehouseError(
    code,
    `the token is not accepted: ${outcome.problems.map(printProblem).join('; ')}`,
  );
};

/** What a token says is repeated only so far. */
const quote = (text: string | undefined): string =>
  text === undefined ? '(none given)' : `\`${text.slice(0, 64)}\``;
