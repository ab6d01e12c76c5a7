import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  contextTag,
  derBitString,
  derInteger,
  derOid,
  derSequence,
  derTag,
  derText,
  writeDer,
} from '@gatehouse/core/der/der';
import { anAttribute, anExtension, extensionRequest, spkiOf, subjectAltName } from '../csr-builder.ts';

/** Each part of a PKCS#10 request in DER, good for `identity` and `key` unless it is given. */
export interface RequestParts {
  readonly identity: string;
  readonly key: KeyObject;
  readonly version?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly spki?: Uint8Array;
  /** All that stands in `[0]`. */
  readonly attributes?: readonly Uint8Array[];
  /** Those of the one extensionRequest. */
  readonly extensions?: readonly Uint8Array[];
  readonly algorithm?: Uint8Array;
  /** What the bits of the signature hold, made from what is to be signed. */
  readonly seal?: (info: Uint8Array, key: KeyObject) => Uint8Array;
}

export const ecdsaWithSha256 = derSequence(derOid('1.2.840.10045.4.3.2'));

export const dns = (name: string): Uint8Array => derText(contextTag(2, 'primitive'), name);

export const sanOf = (...names: readonly Uint8Array[]): Uint8Array =>
  anExtension(subjectAltName, derSequence(...names));

export const anExtensionRequest = (...extensions: readonly Uint8Array[]): Uint8Array =>
  anAttribute(extensionRequest, derSequence(...extensions));

/** Writes the request. It is put together like a good one, whatever the parts are. */
export const writeRequest = (parts: RequestParts): Uint8Array => {
  const { identity, key } = parts;
  const extensions = parts.extensions ?? [sanOf(dns(identity))];
  const info = derSequence(
    parts.version ?? derInteger(0),
    parts.subject ?? derSequence(),
    parts.spki ?? spkiOf(key),
    writeDer(contextTag(0, 'constructed'), ...(parts.attributes ?? [anExtensionRequest(...extensions)])),
  );
  return sealRequest(info, parts);
};

export const sealRequest = (
  info: Uint8Array,
  { key, algorithm = ecdsaWithSha256, seal = signed }: Pick<RequestParts, 'key' | 'algorithm' | 'seal'>,
): Uint8Array => derSequence(info, algorithm, derBitString(seal(info, key)));

/** As the key signs by itself: ECDSA and RSA over SHA-256, Ed25519 over the whole. */
const signed = (info: Uint8Array, key: KeyObject): Uint8Array =>
  sign(key.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256', info, key);

/** The order of the group of P-256 (SEC 2 §2.4.2). */
export const orderOfP256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface EcdsaNumbers {
  readonly r: bigint;
  readonly s: bigint;
}

export const numbersOf = (info: Uint8Array, key: KeyObject): EcdsaNumbers => {
  const raw = sign('sha256', info, { key, dsaEncoding: 'ieee-p1363' });
  return { r: BigInt(`0x${raw.subarray(0, 32).toHex()}`), s: BigInt(`0x${raw.subarray(32).toHex()}`) };
};

export const writeNumbers = ({ r, s }: EcdsaNumbers): Uint8Array => derSequence(derInteger(r), derInteger(s));

/** SubjectPublicKeyInfo of an elliptic curve in whatever words. */
export const ecSpki = (algorithm: readonly Uint8Array[], point: Uint8Array): Uint8Array =>
  derSequence(derSequence(...algorithm), derBitString(point));

export const pointOf = (key: KeyObject): Uint8Array => spkiOf(key).subarray(26);

export const publicKeyOf = (key: KeyObject): KeyObject =>
  createPublicKey(key as Parameters<typeof createPublicKey>[0]);

export const nameOf = (...relative: readonly Uint8Array[]): Uint8Array => derSequence(...relative);

export const attributeOf = (oid: string, tag: number, text: string): Uint8Array =>
  derSequence(derOid(oid), derText(tag, text));

export const commonNameTags = {
  UTF8String: derTag.utf8String,
  PrintableString: derTag.printableString,
  TeletexString: 0x14,
  IA5String: derTag.ia5String,
  VisibleString: 0x1a,
  OctetString: derTag.octetString,
} as const;
