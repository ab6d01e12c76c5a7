/**
 * The audiences that a JSON Web Token says it is for (RFC 7519 §4.1.3), without any proof: it tells whom to ask, never
 * what to believe. Empty for what is no such token.
 */
export const claimedAudiences = (token: string): readonly string[] => {
  const [, payload, , ...more] = token.split('.');
  if (payload === undefined || more.length > 0) return [];
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const audience = typeof claims === 'object' && claims !== null && 'aud' in claims ? claims.aud : [];
    return [audience].flat().filter((one) => typeof one === 'string');
  } catch {
    return [];
  }
};
