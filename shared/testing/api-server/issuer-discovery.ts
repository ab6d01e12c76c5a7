import type { WireObject } from '../../src/kube/parse/fields.ts';
import { type TokenKeys, tokenIssuer } from './service-account-tokens.ts';

/** What the server says of who signs its tokens, as OpenID Connect Discovery spells it; undefined for other paths. */
export const answerIssuerDiscovery = (url: URL, keys: TokenKeys): WireObject | undefined => {
  switch (url.pathname) {
    case '/.well-known/openid-configuration':
      return {
        issuer: tokenIssuer,
        jwks_uri: `https://127.0.0.1:${url.port}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      };
    case '/openid/v1/jwks':
      return { keys: keys.map(({ jwk }) => jwk) };
    default:
      return undefined;
  }
};
