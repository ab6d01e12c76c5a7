import { isJsonObject } from '@gatehouse/core/json-object';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';

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

const fix = 'send the token of the ServiceAccount as it is in its file, without quotes or line breaks';

/** The base64url alphabet, without padding or white space (RFC 7515 §2). Only the signature may be missing. */
const form = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;

/** Undefined where the length is one that no bytes have. */
const decode = (text: string): Buffer | undefined =>
  text.length % 4 === 1 ? undefined : Buffer.from(text, 'base64url');

/** RFC 7515 §5.2: what is not UTF-8 is refused, not fixed. A byte order mark is not JSON. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined for what is not JSON, or names something twice. */
const decodeJson = (text: string): unknown => {
  const bytes = decode(text);
  if (bytes === undefined) return undefined;
  try {
    const json = utf8.decode(bytes);
    const value: unknown = JSON.parse(json);
    return countNames(value) === countColons(json) ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * RFC 7515 §4 and RFC 7519 §4: names are unique. JSON.parse keeps the last of two; the API server's own reader refuses
 * both, and two readers that understand one token differently are how tokens are forged. In valid JSON every colon
 * outside of a text belongs to one name, so that fewer names than colons give a repeated one away.
 */
const countColons = (json: string): number =>
  json.replace(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '').split(':').length - 1;

const countNames = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, each) => sum + countNames(each), own);
};

export const readCompactJws = (token: Uint8Array): Parsed<CompactJws> => {
  // Latin 1 keeps each byte one character, so that lengths stay those of the token.
  const parts = form.exec(Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('latin1'));
  if (parts === null)
    return problem('token', 'it is not three parts of base64url with dots between them', fix);
  const [, head = '', body = '', seal = ''] = parts;
  const header = decodeJson(head);
  const payload = decodeJson(body);
  // An unsecured token (`alg: none`) has an empty signature: it is well formed, and refused for its algorithm.
  const signature = decode(seal);
  if (!isJsonObject(header) || typeof header.alg !== 'string') {
    return problem(
      'token',
      'its header is not a base64url JSON object with an algorithm, each name once',
      fix,
    );
  }
  if (header.kid !== undefined && typeof header.kid !== 'string') {
    return problem('token', 'the key id in its header is not text', fix);
  }
  // RFC 7515 §4.1.11: an extension that must be understood and is not makes the token invalid.
  if (header.crit !== undefined) return problem('token', 'its header has critical extensions', fix);
  if (payload === undefined)
    return problem('token', 'its payload is not base64url JSON with each name once', fix);
  if (signature === undefined) return problem('token', 'its signature is not base64url', fix);
  return parsed({
    algorithm: header.alg,
    keyId: header.kid,
    signed: token.subarray(0, head.length + 1 + body.length),
    signature,
    payload,
  });
};
