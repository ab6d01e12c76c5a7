import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  contextTag,
  derBitString,
  derBoolean,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTag,
  derText,
  writeDer,
} from '@gatehouse/core/der/der';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';

export const anIdentity = identityOf(
  { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  'demo',
  'default',
);
export const aName = printIdentity(anIdentity);

export const extensionRequest = '1.2.840.113549.1.9.14';
export const subjectAltName = '2.5.29.17';

/** AlgorithmIdentifiers without parameters. */
export const ecdsaWith = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
};

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** One key for all CSRs that do not say otherwise: making one takes longer than the rest of a test. */
export const aKey: KeyObject = keys.privateKey;

export const spkiOf = (key: KeyObject): Uint8Array =>
  createPublicKey(key as Parameters<typeof createPublicKey>[0]).export({ format: 'der', type: 'spki' });

export const dnsSan = (...names: readonly string[]): Uint8Array =>
  derSequence(...names.map((name) => derText(contextTag(2, 'primitive'), name)));

export const anExtension = (oid: string, value: Uint8Array, critical?: boolean): Uint8Array =>
  derSequence(derOid(oid), ...(critical === undefined ? [] : [derBoolean(critical)]), derOctetString(value));

export const anAttribute = (oid: string, ...values: readonly Uint8Array[]): Uint8Array =>
  derSequence(derOid(oid), derSet(...values));

export const commonName = (name: string, tag: number = derTag.utf8String): Uint8Array =>
  derSequence(derSet(derSequence(derOid('2.5.4.3'), derText(tag, name))));

interface CsrParts {
  readonly version?: number;
  readonly subject?: Uint8Array;
  readonly spki?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly attributes?: readonly Uint8Array[];
  readonly algorithm?: Uint8Array;
  readonly digest?: string;
  readonly key?: KeyObject;
  /** Added to the CertificationRequestInfo. */
  readonly more?: readonly Uint8Array[];
}

/** A good CSR for `aName` but for the parts that the test says; its signature is always right. */
export const aCsr = (parts: CsrParts = {}): Uint8Array => {
  const key = parts.key ?? aKey;
  const extensions = parts.extensions ?? [anExtension(subjectAltName, dnsSan(aName))];
  const attributes = parts.attributes ?? [anAttribute(extensionRequest, derSequence(...extensions))];
  const info = derSequence(
    derInteger(parts.version ?? 0),
    parts.subject ?? derSequence(),
    parts.spki ?? spkiOf(key),
    writeDer(contextTag(0, 'constructed'), ...attributes),
    ...(parts.more ?? []),
  );
  return derSequence(
    info,
    parts.algorithm ?? derSequence(derOid(ecdsaWith.sha256)),
    derBitString(sign(parts.digest ?? 'sha256', info, key)),
  );
};
