import { printServiceAccountUser } from '@gatehouse/core/mesh/service-account-user';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

/** What a ServiceAccount token says of its bearer, once its signature has been verified. */
export interface TokenClaims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch, as RFC 7519 §2 has NumericDate. */
  readonly expires: number;
  readonly notBefore: number;
  readonly namespace: string;
  readonly serviceAccount: Named;
  /** The pod that the token is bound to; undefined for a token of the ServiceAccount alone. */
  readonly pod: Named | undefined;
  /** What else must exist for the token to be good, and is not watched; with `requirePodBoundToken` there is none. */
  readonly alsoBoundTo: 'a Secret' | 'a Node' | undefined;
}

export interface Named {
  readonly name: string;
  readonly uid: string;
}

export interface ExpectedToken {
  readonly issuer: string;
  readonly audience: string;
  readonly nowMs: number;
  /** How far the clock that issued the token may be ahead of ours. Expiry has no leeway: the proxy renews its token early. */
  readonly leewayMs: number;
}

type Json = Readonly<Record<string, unknown>>;

const fix = 'use a projected ServiceAccount token';

const asObject = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The last moment that a Date can tell (ECMA-262 §21.4.1.1); what lies beyond it is not a valid date. */
const lastSecond = 8_640_000_000_000;

const asSeconds = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= lastSecond ? value : undefined;

/** RFC 7519 §4.1.3: one audience may be written without a list. */
const asAudiences = (value: unknown): readonly string[] | undefined => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
};

const asNamed = (value: unknown): Named | undefined => {
  const object = asObject(value);
  const name = asText(object?.name);
  const uid = asText(object?.uid);
  return name === undefined || uid === undefined ? undefined : { name, uid };
};

/** Reads the payload that the API server gives to projected tokens: the registered claims and `kubernetes.io`. */
export const readClaims = (payload: unknown): Parsed<TokenClaims> => {
  const claims = asObject(payload);
  if (claims === undefined) return problem('token', 'its payload is not a JSON object', fix);
  const issuer = asText(claims.iss);
  if (issuer === undefined) return problem('token.iss', 'it names no issuer', fix);
  const audiences = asAudiences(claims.aud);
  if (audiences === undefined) return problem('token.aud', 'it names no audience', fix);
  const expires = asSeconds(claims.exp);
  if (expires === undefined) return problem('token.exp', 'it never expires', fix);
  // RFC 7519 §4.1.5 and §4.1.6: what stands there must be a time, also where the other one would do.
  const [begins, issued] = [claims.nbf, claims.iat].map((one) =>
    one === undefined ? 'absent' : asSeconds(one),
  );
  const notBefore = begins === 'absent' ? issued : begins;
  if (issued === undefined || typeof notBefore !== 'number') {
    return problem('token.nbf', 'it does not say from when it holds', fix);
  }
  const kubernetes = asObject(claims['kubernetes.io']);
  const namespace = asText(kubernetes?.namespace);
  const serviceAccount = asNamed(kubernetes?.serviceaccount);
  if (kubernetes === undefined || namespace === undefined || serviceAccount === undefined) {
    return problem('token.kubernetes.io', 'it names no ServiceAccount with its uid', fix);
  }
  const pod = asNamed(kubernetes.pod);
  if (kubernetes.pod !== undefined && pod === undefined) {
    return problem('token.kubernetes.io.pod', 'it names a pod without name or uid', fix);
  }
  // One subject, said twice: a token in which the two disagree was not made by an API server.
  if (claims.sub !== printServiceAccountUser({ namespace, serviceAccount: serviceAccount.name })) {
    return problem('token.sub', 'its subject is not the ServiceAccount of its kubernetes.io claim', fix);
  }
  const alsoBoundTo = bondOf(kubernetes);
  return parsed({ issuer, audiences, expires, notBefore, namespace, serviceAccount, pod, alsoBoundTo });
};

/** A pod's token also names its node, which is for the reader's information: such a token ends with the pod. */
const bondOf = ({ secret, node, pod }: Json): TokenClaims['alsoBoundTo'] => {
  if (secret !== undefined) return 'a Secret';
  return node !== undefined && pod === undefined ? 'a Node' : undefined;
};

/** Whether the token was meant for us, and now. The audience must be named: there is no default one. */
export const checkClaims = (claims: TokenClaims, expected: ExpectedToken): Parsed<TokenClaims> => {
  if (claims.issuer !== expected.issuer) {
    return problem('token.iss', `\`${claims.issuer}\` is not our issuer`, `it must be ${expected.issuer}`);
  }
  if (!claims.audiences.includes(expected.audience)) {
    return problem(
      'token.aud',
      `it is for ${claims.audiences.map((name) => `\`${name}\``).join(', ') || 'nobody'}`,
      `mount a projected token with the audience ${expected.audience}`,
    );
  }
  const age = expected.nowMs / 1000 - claims.expires;
  if (age >= 0) {
    return problem('token.exp', `it expired ${Math.floor(age)} s ago`, 'read the token file again');
  }
  const early = claims.notBefore - expected.nowMs / 1000;
  if (early * 1000 > expected.leewayMs) {
    return problem('token.nbf', `it holds only in ${Math.ceil(early)} s`, 'compare the clocks');
  }
  return parsed(claims);
};
