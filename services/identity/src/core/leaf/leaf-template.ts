import {
  contextTag,
  derBitString,
  derOctetString,
  derSequence,
  derTag,
  derTime,
  joinBytes,
  writeDer,
} from '@gatehouse/core/der/der';
import { type Identity, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { ChainValidity, Validity } from './issuance-profile.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';

/** What a leaf says of its issuer. */
export interface LeafIssuer extends ChainValidity {
  /** The subject of the issuer's certificate in its own DER: verifiers compare names byte for byte (contract/proxy.md §3.4). */
  readonly name: Uint8Array;
  /** The issuer's subjectKeyIdentifier. */
  readonly keyId: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
}

/** What differs from leaf to leaf. */
export interface LeafOrder {
  readonly identity: Identity;
  readonly spki: Uint8Array;
  /** 16 bytes, of which the first is 0x01 to 0x7f: a positive INTEGER without padding. */
  readonly serial: Uint8Array;
  /** RFC 7093 §2 (1): the first 160 bits of the SHA-256 of the public key. */
  readonly keyId: Uint8Array;
  readonly validity: Validity;
}

/** The TBSCertificates of one issuer, in which only the blanks of a `LeafOrder` are open. */
export interface LeafTemplate {
  readonly issuer: LeafIssuer;
  readonly beforeValidity: Uint8Array;
  readonly fixedExtensions: Uint8Array;
  /** By the lengths that vary; filled as they come up. At most one for each length of a DNS name and form of time. */
  readonly skeletons: Map<number, Skeleton>;
  /** The validity encoded last: all leaves of one second have the same. */
  validity: EncodedValidity | undefined;
}

interface EncodedValidity extends Validity {
  readonly der: Uint8Array;
}

/** A whole TBSCertificate with zeros in its blanks, and where these begin. */
interface Skeleton {
  readonly tbs: Uint8Array;
  readonly serial: number;
  readonly validity: number;
  readonly spki: number;
  readonly keyId: number;
  readonly identity: number;
}

const serialLength = 16;
const keyIdLength = 20;
const spkiLength = 91;

const utf8 = new TextEncoder();

const v3 = Uint8Array.fromHex('a003020102');

/** An empty subject: the name stands in the SAN alone, which is critical for that (RFC 5280 §4.2.1.6). */
const emptyName = Uint8Array.fromHex('3000');

/** keyUsage, critical: digitalSignature; a TLS 1.3 key signs and does nothing else (RFC 5280 §4.2.1.3). */
const keyUsage = Uint8Array.fromHex('300e0603551d0f0101ff040403020780');

/** extendedKeyUsage: serverAuth, clientAuth; every mesh workload is both (contract/proxy.md §3.4). */
const extendedKeyUsage = Uint8Array.fromHex('301d0603551d250416301406082b0601050507030106082b06010505070302');

/** basicConstraints, critical: cA FALSE, which as the default leaves the SEQUENCE empty (RFC 5280 §4.2.1.9). */
const basicConstraints = Uint8Array.fromHex('300c0603551d130101ff04023000');

const subjectKeyIdentifierOid = Uint8Array.fromHex('0603551d0e');
const authorityKeyIdentifierOid = Uint8Array.fromHex('0603551d23');
/** subjectAltName and `critical`. */
const criticalSubjectAltName = Uint8Array.fromHex('0603551d110101ff');

/** Everything that the leaves of one issuer share, encoded once. */
export const makeLeafTemplate = (issuer: LeafIssuer): LeafTemplate => ({
  issuer,
  skeletons: new Map(),
  validity: undefined,
  beforeValidity: joinBytes([issuer.algorithm.identifier, issuer.name]),
  fixedExtensions: joinBytes([
    keyUsage,
    extendedKeyUsage,
    basicConstraints,
    derSequence(
      authorityKeyIdentifierOid,
      derOctetString(derSequence(writeDer(contextTag(0, 'primitive'), issuer.keyId))),
    ),
  ]),
});

const makeSkeleton = (template: LeafTemplate, identityLength: number, validityLength: number): Skeleton => {
  const keyIdExtension = derSequence(
    subjectKeyIdentifierOid,
    derOctetString(derOctetString(new Uint8Array(keyIdLength))),
  );
  const nameExtension = derSequence(
    criticalSubjectAltName,
    derOctetString(derSequence(writeDer(contextTag(2, 'primitive'), new Uint8Array(identityLength)))),
  );
  const extensions = writeDer(
    contextTag(3, 'constructed'),
    derSequence(template.fixedExtensions, keyIdExtension, nameExtension),
  );
  const tbs = derSequence(
    v3,
    writeDer(derTag.integer, new Uint8Array(serialLength)),
    template.beforeValidity,
    new Uint8Array(validityLength),
    emptyName,
    new Uint8Array(spkiLength),
    extensions,
  );
  // Each blank is the end of something whose length is known, so the places are counted from the end.
  const spki = tbs.length - extensions.length - spkiLength;
  const validity = spki - emptyName.length - validityLength;
  return {
    tbs,
    serial: validity - template.beforeValidity.length - serialLength,
    validity,
    spki,
    keyId: tbs.length - nameExtension.length - keyIdLength,
    identity: tbs.length - identityLength,
  };
};

const encodeValidity = (template: LeafTemplate, { notBefore, notAfter }: Validity): Uint8Array => {
  const last = template.validity;
  if (last?.notBefore === notBefore && last.notAfter === notAfter) return last.der;
  const der = derSequence(derTime(notBefore), derTime(notAfter));
  template.validity = { notBefore, notAfter, der };
  return der;
};

/**
 * The TBSCertificate of one leaf (RFC 5280 §4.1), spliced: a copy and five writes instead of twenty nested elements, since
 * this is done for every certificate. Whether it may be signed is for template-rules to say, which reads it back.
 */
export const fillTemplate = (template: LeafTemplate, order: LeafOrder): Uint8Array => {
  const validity = encodeValidity(template, order.validity);
  const name = printIdentity(order.identity);
  const shape = name.length * 256 + validity.length;
  const skeleton = template.skeletons.get(shape) ?? makeSkeleton(template, name.length, validity.length);
  template.skeletons.set(shape, skeleton);
  const tbs = skeleton.tbs.slice();
  tbs.set(order.serial, skeleton.serial);
  tbs.set(validity, skeleton.validity);
  tbs.set(order.spki, skeleton.spki);
  tbs.set(order.keyId, skeleton.keyId);
  utf8.encodeInto(name, tbs.subarray(skeleton.identity));
  return tbs;
};

/** Certificate = TBSCertificate, algorithm, signature. */
export const sealCertificate = (
  tbs: Uint8Array,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array,
): Uint8Array => derSequence(tbs, algorithm.identifier, derBitString(signature));
