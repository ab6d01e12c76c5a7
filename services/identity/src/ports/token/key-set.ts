import { createPublicKey, type KeyObject, verify, type webcrypto } from 'node:crypto';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** A public key of the issuer of tokens, ready to verify with. */
export interface TokenKey {
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  verify(signed: Uint8Array, signature: Uint8Array): boolean;
}

/** What API servers sign tokens with. No symmetric algorithm: what can verify could then also sign. */
export type TokenAlgorithm = keyof typeof algorithms;

const algorithms = {
  RS256: { digest: 'sha256', type: 'RSA', curve: undefined },
  ES256: { digest: 'sha256', type: 'EC', curve: 'P-256' },
  ES384: { digest: 'sha384', type: 'EC', curve: 'P-384' },
  ES512: { digest: 'sha512', type: 'EC', curve: 'P-521' },
} as const;

const tokenAlgorithms = ['RS256', 'ES256', 'ES384', 'ES512'] as const satisfies readonly TokenAlgorithm[];

/** Whether any key could be for it; of what a token claims nothing else is believed. */
export const isTokenAlgorithm = (name: string): boolean => Object.hasOwn(algorithms, name);

/** A key set as we can use it. */
export interface KeySet {
  readonly keys: ReadonlyMap<string, TokenKey>;
  /** What is in the set and cannot be used, and why; sets may hold such keys (RFC 7517 §5). */
  readonly passedOver: readonly string[];
}

/** Every key of a JSON Web Key Set that we can use, by its id. A set without any is a problem. */
export const readKeySet = (set: unknown): Parsed<KeySet> => {
  const list = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(list)) {
    return problem('keys', 'it is not a JSON Web Key Set', 'use what /openid/v1/jwks answers');
  }
  const keys = new Map<string, TokenKey>();
  const prints = new Map<string, string>();
  const passedOver: string[] = [];
  for (const value of list as readonly unknown[]) {
    const read = readKey(value);
    if (typeof read === 'string') {
      passedOver.push(read);
      continue;
    }
    const { key, print } = read;
    const before = prints.get(key.id);
    prints.set(key.id, before === undefined || before === print ? print : 'several');
    keys.set(key.id, key);
  }
  for (const [id, print] of prints) {
    if (print !== 'several') continue;
    // Which of them a token means cannot be told, and to try both would let either speak for the other.
    keys.delete(id);
    passedOver.push(`several keys have the id \`${id.slice(0, 64)}\`: none of them is taken`);
  }
  return keys.size === 0
    ? problem('keys', 'it holds no key for RS256, ES256, ES384 or ES512', 'use what /openid/v1/jwks answers')
    : parsed({ keys, passedOver });
};

/** By `kid`. A token without one fits only where there is no choice. */
export const findKey = (
  keys: ReadonlyMap<string, TokenKey>,
  id: string | undefined,
): TokenKey | undefined => {
  if (id !== undefined) return keys.get(id);
  const [only, ...others] = keys.values();
  return others.length === 0 ? only : undefined;
};

type Jwk = Readonly<Record<string, unknown>>;

/** A key, or why it is none of ours. */
const readKey = (value: unknown): { readonly key: TokenKey; readonly print: string } | string => {
  if (typeof value !== 'object' || value === null) return 'something that is not a key';
  const jwk = value as Jwk;
  if (typeof jwk.kid !== 'string') return 'a key without id';
  const named = `the key \`${jwk.kid.slice(0, 64)}\``;
  const algorithm = algorithmOf(jwk);
  if (algorithm === undefined) return `${named}: its alg, kty and crv are no algorithm of ours`;
  if (!isForSignatures(jwk)) return `${named}: it is not for signatures`;
  const { digest, type } = algorithms[algorithm];
  const key = importKey(jwk, type);
  if (key === undefined) return `${named}: its numbers make no key`;
  // RFC 7518 §3.3: at least 2048 bits.
  if (type === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    return `${named}: it has fewer than 2048 bits`;
  }
  // RFC 7518 §3.4: in a JWS an ECDSA signature is r and s side by side, not DER.
  const input = type === 'EC' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
  return {
    key: {
      id: jwk.kid,
      algorithm,
      verify: (signed, signature) => verify(digest, signed, input, signature),
    },
    print: key.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
};

/** A key that says its algorithm must mean that of its type and curve; one that does not has only one it can be for. */
const algorithmOf = ({ kty, crv, alg }: Jwk): TokenAlgorithm | undefined =>
  tokenAlgorithms.find((name) => {
    const { type, curve } = algorithms[name];
    return kty === type && crv === curve && (alg === undefined || alg === name);
  });

/** RFC 7517 §4.2 and §4.3. */
const isForSignatures = ({ use = 'sig', key_ops: operations = ['verify'] }: Jwk): boolean =>
  use === 'sig' && Array.isArray(operations) && operations.includes('verify');

/** Only the public half is read, also from a set that carries more than it should. */
const importKey = ({ kty, crv, x, y, n, e }: Jwk, type: 'RSA' | 'EC'): KeyObject | undefined => {
  try {
    const half = type === 'EC' ? { kty, crv, x, y } : { kty, n, e };
    return createPublicKey({ key: half as webcrypto.JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
};
