import { createPublicKey, verify } from 'node:crypto';
import {
  compareBytes,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  joinBytes,
  writeDer,
} from '@gatehouse/core/der/der';
import { createLocalJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { CertifyRequest } from '../../src/certify/certify.ts';
import { tokenAudience, tokenIssuer } from '../token-builder.ts';
import type { FuzzedMesh } from './fuzzed-mesh.ts';
import { orderOfP256 } from './request-parts.ts';

/** What must come of a request: refused when undefined, else a leaf for exactly this name and key. */
export interface Entitlement {
  readonly identity: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
}

/** What names something twice loses one of them to a reader of JSON, and so is not written again as it was. */
const isAsWritten = (token: string): boolean =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => Buffer.from(part, 'base64url').toString())
    .every((json) => JSON.stringify(JSON.parse(json)) === json);

/**
 * Says what Certify owes to a request, whatever was done to it, without a line of what Certify reads with. A good signing
 * request is not parsed but written: for one name there are six ways to say it (no common name, or one in two string types;
 * the SAN critical or not), so whatever has other bytes around its key and signature is none. Tokens are read by jose.
 */
export const certifyOracle = (mesh: Pick<FuzzedMesh, 'workloads' | 'signers' | 'nowMs'>) => {
  const keySet = createLocalJWKSet({ keys: mesh.signers.map(({ jwk }) => jwk) as [] });

  /** The identity that the token proves. */
  const identityOf = async (bytes: Uint8Array): Promise<string | undefined> => {
    const token = Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\r\n]+$/, '');
    // jose is lenient about blanks and padding in the signature, RFC 7515 §2 is not.
    if (bytes.length > 16 * 1024 || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
    try {
      const header = decodeProtectedHeader(token);
      // Our own rules: the key is named while there are several, and nothing is critical.
      if (typeof header.kid !== 'string' || 'crit' in header) return undefined;
      const { payload } = await jwtVerify(token, keySet, {
        issuer: tokenIssuer,
        audience: tokenAudience,
        algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
        currentDate: new Date(mesh.nowMs),
        clockTolerance: 20,
      });
      return isAsWritten(token) ? subjectOf(payload) : undefined;
    } catch {
      return undefined;
    }
  };

  const subjectOf = (payload: JWTPayload): string | undefined => {
    const { exp, aud, nbf, iat, sub } = payload;
    const start = nbf ?? iat;
    if (iat !== undefined && !(iat >= 0)) return undefined;
    // Beyond the last day that a Date can tell there are no dates.
    if ([exp, start, iat].some((one) => (one ?? 0) > 8.64e12)) return undefined;
    // The tolerance is for the start alone.
    if (typeof exp !== 'number' || !Number.isFinite(exp) || exp * 1_000 <= mesh.nowMs) return undefined;
    if (typeof start !== 'number' || start < 0 || start * 1_000 > mesh.nowMs + 20_000) return undefined;
    if (Array.isArray(aud) && !aud.every((one) => typeof one === 'string')) return undefined;
    const claim: unknown = payload['kubernetes.io'];
    return mesh.workloads.find(({ namespace, serviceAccount, pod }) => {
      const names = claim as { namespace: unknown; pod: unknown; serviceaccount: unknown } | undefined;
      const is = (found: unknown, expected: { readonly name: string; readonly uid: string }): boolean => {
        const { name, uid } = (found ?? {}) as { name?: unknown; uid?: unknown };
        return name === expected.name && uid === expected.uid;
      };
      return (
        sub === `system:serviceaccount:${namespace}:${serviceAccount.name}` &&
        names?.namespace === namespace &&
        is(names.pod, pod) &&
        is(names.serviceaccount, serviceAccount)
      );
    })?.identity;
  };

  return async ({
    identity,
    token,
    certificateSigningRequest: csr,
  }: CertifyRequest): Promise<Entitlement | undefined> => {
    const spki = keyOfGoodRequest(csr, identity);
    return spki !== undefined && (await identityOf(token)) === identity ? { identity, spki } : undefined;
  };
};

/** A P-256 SubjectPublicKeyInfo has this length (RFC 5480). */
const spkiLength = 91;
const spkiPrefix = Uint8Array.fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const algorithm = derSequence(derOid('1.2.840.10045.4.3.2'));

/** The key of a request that is good for the name; undefined if it is not. */
export const keyOfGoodRequest = (csr: Uint8Array, identity: string): Uint8Array | undefined => {
  if (csr.length > 8 * 1024) return undefined;
  for (const { before, after } of goodForms(identity)) {
    // The length of the whole and of what is signed stand before the version: both by the number of octets they take.
    for (const at of [6, 7, 8].map((heads) => heads + before.length)) {
      const spki = csr.slice(at, at + spkiLength);
      const info = derSequence(before, spki, after);
      const signed = joinBytes([info, algorithm]);
      const start = csr[1] === 0x81 ? 3 : 4;
      if (compareBytes(csr.subarray(start, start + signed.length), signed) !== 0) continue;
      const signature = csr.subarray(start + signed.length + 3);
      if (compareBytes(derSequence(signed, derBitString(signature)), csr) !== 0) continue;
      if (isGoodKey(spki) && isGoodSignature(signature, info, spki)) return spki;
    }
  }
  return undefined;
};

interface Form {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const goodForms = (identity: string): readonly Form[] => {
  const name = (tag: number): Uint8Array =>
    derSequence(derSet(derSequence(derOid('2.5.4.3'), derText(tag, identity))));
  const subjects = [derSequence(), name(derTag.utf8String), name(derTag.printableString)];
  const san = derOctetString(derSequence(derText(0x82, identity)));
  const names = [
    derSequence(derOid('2.5.29.17'), san),
    derSequence(derOid('2.5.29.17'), derBoolean(true), san),
  ];
  return subjects.flatMap((subject) =>
    names.map((one) => ({
      before: joinBytes([derInteger(0), subject]),
      after: writeDer(0xa0, derSequence(derOid('1.2.840.113549.1.9.14'), derSet(derSequence(one)))),
    })),
  );
};

/** Node imports a JWK only if its point is on the curve. */
const keyFrom = (spki: Uint8Array) => {
  const [x, y] = [spki.subarray(27, 59), spki.subarray(59)].map((part) =>
    Buffer.from(part).toString('base64url'),
  );
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' });
  } catch {
    return undefined;
  }
};

const isGoodKey = (spki: Uint8Array): boolean =>
  compareBytes(spki.subarray(0, spkiPrefix.length), spkiPrefix) === 0 && keyFrom(spki) !== undefined;

/** r and s are read by hand, written again, and compared: only the one DER form of the two numbers counts. */
const isGoodSignature = (signature: Uint8Array, info: Uint8Array, spki: Uint8Array): boolean => {
  const key = keyFrom(spki);
  const lengthOfR = signature[3] ?? 0;
  const r = asNumber(signature.subarray(4, 4 + lengthOfR));
  const s = asNumber(signature.subarray(6 + lengthOfR));
  if (key === undefined || r === undefined || s === undefined) return false;
  if (r === 0n || s === 0n || r >= orderOfP256 || s >= orderOfP256) return false;
  if (compareBytes(derSequence(derInteger(r), derInteger(s)), signature) !== 0) return false;
  const raw = Buffer.from([r, s].map((one) => one.toString(16).padStart(64, '0')).join(''), 'hex');
  return verify('sha256', info, { key, dsaEncoding: 'ieee-p1363' }, raw);
};

const asNumber = (bytes: Uint8Array): bigint | undefined =>
  bytes.length === 0 || bytes.length > 33 ? undefined : BigInt(`0x${bytes.toHex()}`);
