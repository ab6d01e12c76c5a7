import {
  contextTag,
  derBitString,
  derInteger,
  derOctetString,
  derSequence,
  derText,
  derTime,
  joinBytes,
  writeDer,
} from '@gatehouse/shared/core/der';
import type { Validity } from './issuance-profile.ts';
import type { SignatureAlgorithm } from './signature-algorithm.ts';

/** What a leaf says of its issuer. */
export interface LeafIssuer {
  /** The subject of the issuer's certificate in its own DER: verifiers compare names byte for byte (contract/proxy.md §3.4). */
  readonly name: Uint8Array;
  /** The issuer's subjectKeyIdentifier. */
  readonly keyId: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** The first notAfter of the issuer chain, in seconds. */
  readonly chainEnds: number;
}

/** What differs from leaf to leaf. */
export interface LeafOrder {
  readonly identity: string;
  readonly spki: Uint8Array;
  /** Positive, at most 20 bytes, unpredictable. */
  readonly serial: Uint8Array;
  /** RFC 7093 §2 (1): the first 160 bits of the SHA-256 of the public key. */
  readonly keyId: Uint8Array;
  readonly validity: Validity;
}

/** A TBSCertificate in which only the blanks of a `LeafOrder` are open. */
export interface LeafTemplate {
  readonly issuer: LeafIssuer;
  readonly beforeValidity: Uint8Array;
  readonly fixedExtensions: Uint8Array;
}

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

/** The TBSCertificate of one leaf (RFC 5280 §4.1). Whether it may be signed is for template-rules to say. */
export const fillTemplate = (template: LeafTemplate, order: LeafOrder): Uint8Array =>
  derSequence(
    v3,
    derInteger(order.serial),
    template.beforeValidity,
    derSequence(derTime(order.validity.notBefore), derTime(order.validity.notAfter)),
    emptyName,
    order.spki,
    writeDer(
      contextTag(3, 'constructed'),
      derSequence(
        template.fixedExtensions,
        derSequence(subjectKeyIdentifierOid, derOctetString(derOctetString(order.keyId))),
        derSequence(
          criticalSubjectAltName,
          derOctetString(derSequence(derText(contextTag(2, 'primitive'), order.identity))),
        ),
      ),
    ),
  );

/** Certificate = TBSCertificate, algorithm, signature. */
export const sealCertificate = (
  tbs: Uint8Array,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array,
): Uint8Array => derSequence(tbs, algorithm.identifier, derBitString(signature));
