import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export const tokenIssuer = 'https://gatehouse.dev';
export const tokenAudience = 'identity.l5d.io';

/** The keys of an issuer of tokens, with the set that it publishes. */
export interface TokenSigner {
  readonly kid: string;
  readonly alg: string;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  /** The key's entry of the JSON Web Key Set. */
  readonly jwk: Record<string, unknown>;
}

export const aTokenSigner = (
  alg: 'ES256' | 'ES384' | 'ES512' | 'RS256' = 'ES256',
  kid = `${alg}-key`,
): TokenSigner => {
  const { privateKey: key, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] });
  return { kid, alg, key, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
};

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The payload of a projected token of `demo/default` for the pod `frontend-0`. `change` replaces claims; undefined removes one. */
export const somePayload = (nowMs: number, change: Record<string, unknown> = {}): Record<string, unknown> => {
  const now = Math.floor(nowMs / 1000);
  return {
    iss: tokenIssuer,
    aud: [tokenAudience],
    sub: 'system:serviceaccount:demo:default',
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
    'kubernetes.io': {
      namespace: 'demo',
      pod: { name: 'frontend-0', uid: 'uid-of-frontend-0' },
      serviceaccount: { name: 'default', uid: 'uid-of-default' },
    },
    ...change,
  };
};

/** Signs whatever it is given, with the header that the test wants. */
export const signToken = (
  signer: TokenSigner,
  payload: unknown,
  header: Record<string, unknown> = {},
): Uint8Array =>
  signText(signer, {
    header: JSON.stringify({ alg: signer.alg, kid: signer.kid, typ: 'JWT', ...header }),
    // JSON has no undefined; what was meant as no payload at all is an empty one.
    payload: JSON.stringify(payload) ?? '',
  });

/** The same for JSON that no writer of JSON would write. */
export const signText = (
  signer: TokenSigner,
  { header, payload }: { readonly header: string; readonly payload: string },
): Uint8Array => {
  const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const digest = `sha${signer.alg.slice(2)}`;
  const key = signer.alg.startsWith('ES')
    ? { key: signer.key, dsaEncoding: 'ieee-p1363' as const }
    : signer.key;
  return Buffer.from(`${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`);
};

/** RFC 7515 appendix A.5: no signature at all. */
export const unsecured = (payload: unknown, kid: string): Uint8Array =>
  Buffer.from(`${base64url({ alg: 'none', kid })}.${base64url(payload)}.`);

/** The classic: the public key, which everybody has, taken for the secret of an HMAC. */
export const hmacWithPublicKey = (signer: TokenSigner, payload: unknown): Uint8Array => {
  const input = `${base64url({ alg: 'HS256', kid: signer.kid })}.${base64url(payload)}`;
  const secret = signer.publicKey.export({ type: 'spki', format: 'pem' });
  return Buffer.from(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`);
};
