import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type TokenKeys, tokenIssuer } from './service-account-tokens.ts';

/** RFC 7517 §8.5.2. */
export const keySetType = 'application/jwk-set+json';

/** The real server has its keys in that type alone, and refuses a client that accepts only another. */
export const isAccepted = (path: string, accept = '*/*'): boolean =>
  path !== '/openid/v1/jwks' || accept.includes(keySetType) || accept.includes('*/*');

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
