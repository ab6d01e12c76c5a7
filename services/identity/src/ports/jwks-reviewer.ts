import { type Parsed, printProblem } from '@gatehouse/shared/core/problem';
import { GatehouseError } from '@gatehouse/shared/error';
import type { Caller, TokenReviewer } from '../certify.ts';
import { type CompactJws, readCompactJws } from '../core/compact-jws.ts';
import { checkClaims, readClaims, type TokenClaims } from '../core/token-claims.ts';
import type { TokenKey, TokenKeys } from './token-keys.ts';
import type { WatchedCallers } from './watched-callers.ts';

export interface JwksReviewerOptions {
  readonly keys: TokenKeys;
  readonly callers: Pick<WatchedCallers, 'require'>;
  readonly issuer: string;
  readonly audience: string;
  readonly requirePodBoundToken: boolean;
  readonly leewayMs: number;
  readonly now: () => number;
}

/**
 * Believes a token by its issuer's public keys and by what the watch shows, without asking anybody: a cluster that
 * restarts as a whole does not queue behind its API server.
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

  review(token: Uint8Array): Caller | Promise<Caller> {
    const jws = valid(readCompactJws(token), 'invalid-argument');
    const key = this.#options.keys.find(jws.keyId);
    if (key !== undefined) return this.#believe(jws, key);
    return this.#options.keys.refresh().then(() => {
      const fresh = this.#options.keys.find(jws.keyId);
      if (fresh === undefined) throw refused(`no key of its issuer has the id ${printKeyId(jws.keyId)}`);
      return this.#believe(jws, fresh);
    });
  }

  #believe(jws: CompactJws, key: TokenKey): Caller | Promise<Caller> {
    // RFC 8725 §3.1: the key says which algorithm it is for, and the token must agree. So `none` has no key at all, and
    // a public key is never taken for the secret of HS256.
    if (jws.algorithm !== key.algorithm) {
      throw refused(`it claims the algorithm \`${jws.algorithm}\`, its key is for ${key.algorithm}`);
    }
    if (!key.verify(jws.signed, jws.signature)) throw refused('its signature does not verify');
    const { issuer, audience, leewayMs, now } = this.#options;
    const claims = valid(readClaims(jws.payload), 'failed-precondition');
    valid(checkClaims(claims, { issuer, audience, leewayMs, nowMs: now() }), 'failed-precondition');
    if (claims.pod === undefined && this.#options.requirePodBoundToken) {
      throw refused('it is not bound to a pod: mount a projected token (GATEHOUSE_REQUIRE_POD_BOUND_TOKEN)');
    }
    const waited = this.#options.callers.require(claims);
    return waited === undefined ? callerOf(claims) : waited.then(() => callerOf(claims));
  }
}

const callerOf = ({ namespace, serviceAccount, pod }: TokenClaims): Caller => ({
  namespace,
  serviceAccount: serviceAccount.name,
  pod,
});

const refused = (why: string): GatehouseError =>
  new GatehouseError('failed-precondition', `the token is not accepted: ${why}`);

const valid = <T>(outcome: Parsed<T>, code: 'invalid-argument' | 'failed-precondition'): T => {
  if (outcome.ok) return outcome.value;
  throw new GatehouseError(
    code,
    `the token is not accepted: ${outcome.problems.map(printProblem).join('; ')}`,
  );
};

const printKeyId = (keyId: string | undefined): string =>
  keyId === undefined ? '(none given)' : `\`${keyId.slice(0, 64)}\``;
