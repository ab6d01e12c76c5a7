import { compareBytes, contextTag, derTag } from '@gatehouse/core/der/der';
import { type DerNode, parseDer, readBitString } from '@gatehouse/core/der/parse-der';
import { isP256Spki } from './p256.ts';

/** A PKCS#10 request (RFC 2986) whose content has been read and whose signature is still to be verified. */
export interface Csr {
  /** What was signed: CertificationRequestInfo. */
  readonly info: Uint8Array;
  /** SubjectPublicKeyInfo, copied into the leaf byte for byte: the proxy compares it with its own (contract/proxy.md §1.2). */
  readonly spki: Uint8Array;
  /** ECDSA-Sig-Value in DER (RFC 3279 §2.2.3), over SHA-256. */
  readonly signature: Uint8Array;
}

/** `malformed` is not a valid PKCS#10 in DER; `refused` is one, for something that we do not certify. */
export type CsrReading =
  | { readonly kind: 'read'; readonly csr: Csr }
  | { readonly kind: 'malformed' | 'refused'; readonly why: string };

const oid = {
  /** id-at-commonName, 2.5.4.3 */
  commonName: Uint8Array.fromHex('550403'),
  /** pkcs-9-at-extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985 §5.4.2) */
  extensionRequest: Uint8Array.fromHex('2a864886f70d01090e'),
  /** id-ce-subjectAltName, 2.5.29.17 */
  subjectAltName: Uint8Array.fromHex('551d11'),
};

/** AlgorithmIdentifier ecdsa-with-SHA256 without parameters (RFC 5758 §3.2). */
const ecdsaWithSha256 = Uint8Array.fromHex('300a06082a8648ce3d040302');

const dnsName = contextTag(2, 'primitive');

const malformed = (why: string): CsrReading => ({ kind: 'malformed', why });
const refused = (why: string): CsrReading => ({ kind: 'refused', why });

const same = (left: Uint8Array, right: Uint8Array): boolean => compareBytes(left, right) === 0;
const is = (node: DerNode | undefined, tag: number): node is DerNode => node?.tag === tag;
const isOid = (node: DerNode | undefined, content: Uint8Array): boolean =>
  is(node, derTag.oid) && same(node.content, content);

/**
 * Reads a request for exactly one name. Names are compared, never taken, from the request: whatever else it asks for is
 * refused rather than dropped, so that nobody believes to hold a certificate which was not issued.
 */
export const readCsr = (der: Uint8Array, identity: string): CsrReading => {
  const outcome = parseDer(der, 'certificate signing request');
  if (!outcome.ok) return malformed(outcome.problems.map(({ found }) => found).join(', '));
  const [info, algorithm, signatureBits, ...extra] = outcome.value.children;
  const signature = readBitString(signatureBits);
  if (!is(outcome.value, derTag.sequence) || !is(info, derTag.sequence) || !is(algorithm, derTag.sequence)) {
    return malformed('it is not a valid CertificationRequest (RFC 2986 §4.2)');
  }
  if (signature === undefined || extra.length > 0) {
    return malformed('it does not end in a signature (RFC 2986 §4.2)');
  }
  const [version, subject, spki, attributes, ...more] = info.children;
  if (
    !is(version, derTag.integer) ||
    !is(subject, derTag.sequence) ||
    !is(spki, derTag.sequence) ||
    !is(attributes, contextTag(0, 'constructed')) ||
    more.length > 0
  ) {
    return malformed('it has no CertificationRequestInfo (RFC 2986 §4.1)');
  }
  if (!same(version.content, Uint8Array.of(0))) return refused('its version is not 1');
  if (!same(algorithm.bytes, ecdsaWithSha256)) return refused('it is not signed with ecdsa-with-SHA256');
  if (!isP256Spki(spki.bytes)) return refused('its key is not an uncompressed point of P-256');
  const name = new TextEncoder().encode(identity);
  const flaw = flawOfSubject(subject, name) ?? flawOfAttributes(attributes, name);
  return flaw ?? { kind: 'read', csr: { info: info.bytes, spki: spki.bytes, signature } };
};

/** Empty, or the one common name that Linkerd's helper repeats there (contract/proxy.md §4 step 3). */
const flawOfSubject = (subject: DerNode, name: Uint8Array): CsrReading | undefined => {
  if (subject.children.length === 0) return undefined;
  const [relative, ...others] = subject.children;
  const [attribute, ...combined] = relative?.children ?? [];
  const [type, value, ...rest] = attribute?.children ?? [];
  if (!is(relative, derTag.set) || !is(attribute, derTag.sequence) || !is(type, derTag.oid) || !value) {
    return malformed('its subject is not a Name (RFC 5280 §4.1.2.4)');
  }
  const isText = value.tag === derTag.printableString || value.tag === derTag.utf8String;
  return others.length === 0 &&
    combined.length === 0 &&
    rest.length === 0 &&
    isOid(type, oid.commonName) &&
    isText &&
    same(value.content, name)
    ? undefined
    : refused('its subject is neither empty nor just a common name equal to the requested identity');
};

const flawOfAttributes = (attributes: DerNode, name: Uint8Array): CsrReading | undefined => {
  const [attribute, ...others] = attributes.children;
  if (attribute === undefined) return refused('it asks for no name: add the identity as a DNS SAN');
  const [type, values, ...rest] = attribute.children;
  if (
    !is(attribute, derTag.sequence) ||
    !is(type, derTag.oid) ||
    !is(values, derTag.set) ||
    rest.length > 0
  ) {
    return malformed('it has a malformed attribute (RFC 2986 §4.1)');
  }
  const [extensions, ...alternatives] = values.children;
  if (others.length > 0 || !isOid(type, oid.extensionRequest) || alternatives.length > 0) {
    return refused('it has attributes other than one extension request');
  }
  if (!is(extensions, derTag.sequence)) return malformed('its extension request is not a list of extensions');
  return flawOfExtensions(extensions, name);
};

const flawOfExtensions = (extensions: DerNode, name: Uint8Array): CsrReading | undefined => {
  const [extension, ...others] = extensions.children;
  if (extension === undefined) return refused('it asks for no name: add the identity as a DNS SAN');
  const [type, ...parts] = extension.children;
  const value = parts.at(-1);
  // `critical` may stand between; its default FALSE must not be written out (X.690 §11.5).
  const critical = parts.length === 2 ? parts[0] : undefined;
  const isCriticalWell =
    parts.length === 1 || (is(critical, derTag.boolean) && same(critical.content, Uint8Array.of(0xff)));
  if (!is(extension, derTag.sequence) || !is(type, derTag.oid) || !is(value, derTag.octetString)) {
    return malformed('it has a malformed extension (RFC 5280 §4.1)');
  }
  if (!isCriticalWell) return malformed('it has a malformed extension (RFC 5280 §4.1)');
  if (others.length > 0 || !isOid(type, oid.subjectAltName)) {
    return refused('it asks for extensions other than one subjectAltName');
  }
  const names = parseDer(value.content, 'subjectAltName');
  if (!names.ok || !is(names.value, derTag.sequence)) {
    return malformed('its subjectAltName is not a GeneralNames (RFC 5280 §4.2.1.6)');
  }
  const [only, ...aliases] = names.value.children;
  return is(only, dnsName) && aliases.length === 0 && same(only.content, name)
    ? undefined
    : refused('its subjectAltName is not exactly the requested identity as one DNS name');
};
