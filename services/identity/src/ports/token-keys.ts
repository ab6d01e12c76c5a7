import { createPublicKey, verify, type webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Parsed, parsed, printProblem, problem } from '@gatehouse/shared/core/problem';
import type { Log } from '@gatehouse/shared/log';

/** A public key of the issuer of tokens, ready to verify with. */
export interface TokenKey {
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  verify(signed: Uint8Array, signature: Uint8Array): boolean;
}

/** What API servers sign tokens with. No symmetric algorithm: whoever can verify could then also sign. */
export type TokenAlgorithm = keyof typeof algorithms;

const algorithms = {
  RS256: { digest: 'sha256', type: 'RSA', curve: undefined },
  ES256: { digest: 'sha256', type: 'EC', curve: 'P-256' },
  ES384: { digest: 'sha384', type: 'EC', curve: 'P-384' },
  ES512: { digest: 'sha512', type: 'EC', curve: 'P-521' },
} as const;

const tokenAlgorithms = ['RS256', 'ES256', 'ES384', 'ES512'] as const satisfies readonly TokenAlgorithm[];

/** Nobody makes us read the keys more often by sending unknown key ids. */
const refreshAtMostEveryMs = 10_000;

export interface TokenKeysOptions {
  /** A JSON Web Key Set (RFC 7517 §5). */
  readonly file: string;
  readonly log: Log;
  readonly now: () => number;
}

/** The keys of the token issuer by id, read again when a token names one that is not known. */
export class TokenKeys {
  readonly #options: TokenKeysOptions;
  #keys: ReadonlyMap<string, TokenKey> = new Map();
  #refreshing: Promise<void> | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TokenKeysOptions) {
    this.#options = options;
  }

  /** By `kid`. A token without one fits only where there is no choice. */
  find(id: string | undefined): TokenKey | undefined {
    if (id !== undefined) return this.#keys.get(id);
    const [only, ...others] = this.#keys.values();
    return others.length === 0 ? only : undefined;
  }

  /** Reads the set again unless that was done just now; old keys that are gone from it are dropped. Keeps what it has if it cannot. */
  refresh(): Promise<void> {
    const { now } = this.#options;
    if (this.#refreshing !== undefined) return this.#refreshing;
    if (now() - this.#refreshedAt < refreshAtMostEveryMs) return Promise.resolve();
    this.#refreshedAt = now();
    this.#refreshing = this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const { file, log } = this.#options;
    try {
      const outcome = readKeySet(JSON.parse(await readFile(file, 'utf8')));
      if (outcome.ok) this.#keys = new Map(outcome.value.map((key) => [key.id, key]));
      else log.error({ file, problems: outcome.problems.map(printProblem) }, 'the token keys are not taken');
    } catch (error) {
      log.error({ file, err: error }, 'the token keys cannot be read');
    }
  }
}

/** Every key that we can use; sets may hold others (RFC 7517 §5), which are passed over. */
export const readKeySet = (set: unknown): Parsed<readonly TokenKey[]> => {
  const list = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(list)) {
    return problem('keys', 'it is no JSON Web Key Set', 'use what /openid/v1/jwks answers');
  }
  const keys = list.map(readKey).filter((key) => key !== undefined);
  return keys.length === 0
    ? problem('keys', 'it holds no key for RS256, ES256, ES384 or ES512', 'use what /openid/v1/jwks answers')
    : parsed(keys);
};

type Jwk = Readonly<Record<string, unknown>>;

const readKey = (value: unknown): TokenKey | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const jwk = value as Jwk;
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined || typeof jwk.kid !== 'string' || (jwk.use ?? 'sig') !== 'sig')
    return undefined;
  const { digest, type } = algorithms[algorithm];
  try {
    // Only the public half is read, also from a set that carries more than it should.
    const { kty, crv, x, y, n, e } = jwk;
    const half = type === 'EC' ? { kty, crv, x, y } : { kty, n, e };
    const key = createPublicKey({ key: half as webcrypto.JsonWebKey, format: 'jwk' });
    // RFC 7518 §3.3: at least 2048 bits.
    if (type === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return undefined;
    // RFC 7518 §3.4: in a JWS an ECDSA signature is r and s side by side, not DER.
    const input = type === 'EC' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
    return {
      id: jwk.kid,
      algorithm,
      verify: (signed, signature) => verify(digest, signed, input, signature),
    };
  } catch {
    return undefined;
  }
};

const algorithmOf = ({ kty, crv, alg }: Jwk): TokenAlgorithm | undefined =>
  tokenAlgorithms.find((name) => {
    const { type, curve } = algorithms[name];
    return kty === type && crv === curve && (alg === undefined || alg === name);
  });
