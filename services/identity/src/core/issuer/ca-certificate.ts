import type { IssuerKey } from '../leaf/signature-algorithm.ts';
import type { NameConstraints } from './name-constraints.ts';

/** What decides whether a CA certificate may stand in the path of our leaves; names and keys are compared as DER. */
export interface CaCertificate {
  readonly der: Uint8Array;
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-256 of the DER, hexadecimal. */
  readonly fingerprint: string;
  /** The subject for people, such as `CN=issuer`. */
  readonly name: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** basicConstraints: undefined when it is not a CA. */
  readonly ca: { readonly pathLength: number | undefined } | undefined;
  /** keyUsage allows keyCertSign, or is absent. */
  readonly signsCertificates: boolean;
  readonly key: IssuerKey | { readonly unsupported: string };
  /** Whether proxies verify signatures made with such a key: more kinds than an issuer may have. */
  readonly isVerifiable: boolean;
  /** The algorithm it was signed with; undefined when the proxy would not verify that. */
  readonly signedWith: string | undefined;
  /** Its subjectKeyIdentifier, or one made from its key. */
  readonly keyId: Uint8Array;
  /** extendedKeyUsage; undefined when absent, which allows everything. */
  readonly purposes: readonly string[] | undefined;
  readonly constraints: NameConstraints | undefined;
  /** The DNS names of its subjectAltName: the constraints of those above it hold for them too. */
  readonly dnsNames: readonly string[];
  /** The kinds of its other subjectAltNames: the numbers of GeneralName's choices (RFC 5280 §4.2.1.6). */
  readonly otherNames: readonly number[];
  /** Critical extensions that the proxy does not know, which make it reject the path. */
  readonly unknownCritical: readonly string[];
  /** What else makes proxies reject it, each as the end of a sentence: `is X.509 v1`. */
  readonly oddities: readonly string[];
}

export const isSelfIssued = ({ subject, issuer }: CaCertificate): boolean =>
  subject.length === issuer.length && subject.every((byte, at) => byte === issuer[at]);
