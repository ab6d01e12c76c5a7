import { X509Certificate } from 'node:crypto';
import { Type } from 'typebox';

/**
 * A SPIFFE bundle (SPIFFE Trust Domain and Bundle §4): a JWK Set (RFC 7517) with one key for each root, for checking
 * X.509-SVIDs. `kid` is left out, as the X.509-SVID standard wants it.
 */
export const SpiffeBundle = Type.Object({
  keys: Type.Array(
    Type.Object({
      use: Type.Literal('x509-svid'),
      kty: Type.String({ description: 'EC, RSA or OKP, with the parameters that RFC 7518 gives each' }),
      crv: Type.Optional(Type.String()),
      x: Type.Optional(Type.String()),
      y: Type.Optional(Type.String()),
      n: Type.Optional(Type.String()),
      e: Type.Optional(Type.String()),
      x5c: Type.Array(Type.String(), { description: 'The root itself: exactly one, DER in base64' }),
    }),
  ),
  spiffe_sequence: Type.Integer({
    description: 'Rises when the bundle changes: when its file was written, in milliseconds since the epoch',
  }),
  spiffe_refresh_hint: Type.Integer({ description: 'Ask again after so many seconds' }),
});
export type SpiffeBundle = Type.Static<typeof SpiffeBundle>;

/** A bundle is in all mounts about a minute after it was changed; asking much more often tells nothing new. */
const refreshHintSeconds = 300;

export const spiffeBundle = (
  anchors: readonly { readonly der: Uint8Array }[],
  sequence: number,
): SpiffeBundle => ({
  keys: anchors.flatMap(({ der }) => jwkOf(der)),
  spiffe_sequence: sequence,
  spiffe_refresh_hint: refreshHintSeconds,
});

/** None for a key that has no JWK, such as DSA: an element without `kty` is not allowed (§4.2.1). */
const jwkOf = (der: Uint8Array): SpiffeBundle['keys'] => {
  try {
    const { kty, crv, x, y, n, e } = new X509Certificate(der).publicKey.export({ format: 'jwk' });
    const x5c = [Buffer.from(der).toString('base64')];
    const given = Object.entries({ crv, x, y, n, e }).filter(([, value]) => value !== undefined);
    return kty === undefined ? [] : [{ use: 'x509-svid', kty, ...Object.fromEntries(given), x5c }];
  } catch {
    return [];
  }
};
