import { type Parsed, parsed, problem } from '@gatehouse/shared/core/problem';

/** A JSON Web Signature in compact form (RFC 7515 §3.1), taken apart and not yet believed. */
export interface CompactJws {
  readonly algorithm: string;
  /** Undefined when the header names no key. */
  readonly keyId: string | undefined;
  /** The bytes that were signed: `header.payload` as they arrived (RFC 7515 §5.1). */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly payload: unknown;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const dot = 0x2e;

const fix = 'send the token of the ServiceAccount as it is in its file, without quotes or line breaks';

const isBase64Url = (bytes: Uint8Array): boolean =>
  bytes.every(
    (byte) =>
      (byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x41 && byte <= 0x5a) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === 0x2d ||
      byte === 0x5f,
  );

const decode = (bytes: Uint8Array): Uint8Array | undefined => {
  // `fromBase64` skips white space, RFC 7515 §2 allows none: so the alphabet is checked first.
  if (bytes.length === 0 || !isBase64Url(bytes)) return undefined;
  try {
    return Uint8Array.fromBase64(utf8.decode(bytes), { alphabet: 'base64url' });
  } catch {
    return undefined;
  }
};

const decodeJson = (bytes: Uint8Array): unknown => {
  const text = decode(bytes);
  try {
    return text === undefined ? undefined : JSON.parse(utf8.decode(text));
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const readCompactJws = (token: Uint8Array): Parsed<CompactJws> => {
  const first = token.indexOf(dot);
  const second = first < 0 ? -1 : token.indexOf(dot, first + 1);
  if (second < 0 || token.indexOf(dot, second + 1) >= 0) {
    return problem('token', 'it does not consist of three parts between dots', fix);
  }
  const header = decodeJson(token.subarray(0, first));
  const payload = decodeJson(token.subarray(first + 1, second));
  // An unsecured token (`alg: none`) has an empty signature: it is well formed, and refused for its algorithm.
  const signatureText = token.subarray(second + 1);
  const signature = signatureText.length === 0 ? new Uint8Array() : decode(signatureText);
  if (!isObject(header) || typeof header.alg !== 'string') {
    return problem('token', 'its header is no base64url JSON object with an algorithm', fix);
  }
  if (header.kid !== undefined && typeof header.kid !== 'string') {
    return problem('token', 'the key id in its header is no text', fix);
  }
  // RFC 7515 §4.1.11: an extension that must be understood and is not makes the token invalid.
  if (header.crit !== undefined) return problem('token', 'its header has critical extensions', fix);
  if (payload === undefined) return problem('token', 'its payload is no base64url JSON', fix);
  if (signature === undefined) return problem('token', 'its signature is no base64url', fix);
  return parsed({
    algorithm: header.alg,
    keyId: header.kid,
    signed: token.subarray(0, second),
    signature,
    payload,
  });
};
