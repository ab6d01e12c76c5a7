import 'reflect-metadata';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { contextTag } from '@gatehouse/core/der/der';
import { parseDer } from '@gatehouse/core/der/parse-der';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from '@peculiar/x509';
import type { CaCertificate } from '../../core/issuer/ca-certificate.ts';
import { readNameConstraints } from '../../core/issuer/name-constraints.ts';
import { type CertificateFields, readCertificate } from '../../core/issuer/read-certificate.ts';
import type { IssuerKey } from '../../core/leaf/signature-algorithm.ts';
import { sha256 } from './x509.ts';

const id = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** The critical extensions that webpki processes, or at least reads (contract/proxy.md §3.4). */
const knownExtensions: ReadonlySet<string> = new Set(Object.values(id));

/** AlgorithmIdentifiers that webpki verifies in a chain: ECDSA, Ed25519, and RSA PKCS#1 v1.5 with NULL; no SHA-1, no PSS. */
const verifiable: ReadonlyMap<string, string> = new Map([
  ['300a06082a8648ce3d040302', 'ecdsa-with-SHA256'],
  ['300a06082a8648ce3d040303', 'ecdsa-with-SHA384'],
  ['300a06082a8648ce3d040304', 'ecdsa-with-SHA512'],
  ['300506032b6570', 'Ed25519'],
  ['300d06092a864886f70d01010b0500', 'sha256WithRSAEncryption'],
  ['300d06092a864886f70d01010c0500', 'sha384WithRSAEncryption'],
  ['300d06092a864886f70d01010d0500', 'sha512WithRSAEncryption'],
]);

/** Reads what decides over a CA certificate. Two readers must agree on it: ours on names and constraints, @peculiar/x509 on the rest. */
export const readCaCertificate = (der: Uint8Array): Parsed<CaCertificate> => {
  const fields = readCertificate(der);
  if (!fields.ok) return fields;
  const constraintsDer = extension(fields.value, id.nameConstraints);
  const constraints = constraintsDer === undefined ? undefined : readNameConstraints(constraintsDer);
  if (constraints?.ok === false) return constraints;
  try {
    const certificate = new X509Certificate(der as Uint8Array<ArrayBuffer>);
    const basic = certificate.getExtension(BasicConstraintsExtension);
    const usages = certificate.getExtension(KeyUsagesExtension)?.usages;
    const keyId = certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    const { subject, issuer, notBefore, notAfter, algorithm, extensions, spki } = fields.value;
    const key = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' });
    return parsed({
      der,
      subject,
      issuer,
      spki,
      fingerprint: sha256(der).toHex(),
      name: certificate.subject === '' ? 'a certificate without subject' : certificate.subject,
      serial: certificate.serialNumber,
      notBefore,
      notAfter,
      ca: basic?.ca === true ? { pathLength: basic.pathLength } : undefined,
      signsCertificates: usages === undefined || (usages & KeyUsageFlags.keyCertSign) !== 0,
      key: issuerKeyOf(key),
      isVerifiable: isVerifiable(key),
      signedWith: verifiable.get(algorithm.toHex()),
      keyId: keyId === undefined ? sha256(spki).subarray(0, 20) : Uint8Array.fromHex(keyId),
      purposes: certificate.getExtension(ExtendedKeyUsageExtension)?.usages.map(String),
      constraints: constraints?.value,
      ...alternativeNames(fields.value),
      unknownCritical: extensions
        .filter(({ oid, critical }) => critical && !knownExtensions.has(oid))
        .map(({ oid }) => oid),
      oddities: odditiesOf(fields.value),
    });
  } catch (error) {
    return problem('certificate', `it cannot be read (${String(error)})`, 'use an X.509 v3 certificate');
  }
};

const extension = ({ extensions }: CertificateFields, wanted: string): Uint8Array | undefined =>
  extensions.find(({ oid }) => oid === wanted)?.value;

/** CAs rarely have any, but the constraints of the CAs above them hold for these names too. */
const alternativeNames = (fields: CertificateFields): Pick<CaCertificate, 'dnsNames' | 'otherNames'> => {
  const value = extension(fields, id.subjectAltName);
  const list = value === undefined ? undefined : parseDer(value, 'subjectAltName');
  if (list?.ok === false) throw new TypeError('its subjectAltName is malformed');
  const names = list?.value.children ?? [];
  const isDns = (tag: number): boolean => tag === contextTag(2, 'primitive');
  return {
    dnsNames: names
      .filter(({ tag }) => isDns(tag))
      .map(({ content }) => Buffer.from(content).toString('latin1').toLowerCase()),
    otherNames: names.filter(({ tag }) => !isDns(tag)).map(({ tag }) => tag & 0x1f),
  };
};

/** What webpki does not parse (contract/proxy.md §3.4), and what a certificate must not be (RFC 5280 §4.2). */
const odditiesOf = ({ version, hasUniqueIds, extensions }: CertificateFields): readonly string[] => {
  const oids = extensions.map(({ oid }) => oid);
  const repeated = oids.filter((oid, at) => oids.indexOf(oid) !== at);
  return [
    ...(version === 2 ? [] : [`is X.509 v${version + 1}`]),
    ...(hasUniqueIds ? ['has a unique identifier beside its name'] : []),
    ...repeated.map((oid) => `has the extension ${oid} twice`),
  ];
};

const issuerKeyOf = (key: KeyObject): CaCertificate['key'] => {
  const { namedCurve = '', modulusLength } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? 'unknown';
  if (type === 'ec') return curves.get(namedCurve) ?? { unsupported: `ECDSA ${namedCurve}` };
  if (type !== 'rsa') return { unsupported: type };
  return isVerifiable(key) ? 'RSA' : { unsupported: `RSA ${modulusLength}` };
};

const curves: ReadonlyMap<string, IssuerKey> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

/** The keys that webpki verifies with (contract/proxy.md §3.4). */
const isVerifiable = (key: KeyObject): boolean => {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return curves.has(namedCurve) || namedCurve === 'secp521r1';
    case 'rsa':
      return modulusLength >= 2048 && modulusLength <= 8192;
    default:
      return key.asymmetricKeyType === 'ed25519';
  }
};
