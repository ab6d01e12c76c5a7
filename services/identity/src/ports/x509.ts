import 'reflect-metadata';
import {
  createPublicKey,
  hash,
  type KeyObject,
  X509Certificate as NodeCertificate,
  sign,
  verify,
} from 'node:crypto';
import { type Parsed, parsed, problem } from '@gatehouse/shared/core/problem';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from '@peculiar/x509';
import type { Csr } from '../core/csr.ts';
import type { CaCertificate } from '../core/issuer-state.ts';
import { sealCertificate } from '../core/leaf-template.ts';
import { publicPoint } from '../core/p256.ts';
import { readCertificate } from '../core/read-certificate.ts';
import type { IssuerKey } from '../core/signature-algorithm.ts';
import type { RecordedLeaf } from '../recorded-leaf.ts';

/** Proof of possession: whether who made the request holds the key in it. */
export const isSignedByItsKey = ({ info, spki, signature }: Csr): boolean => {
  const key = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' });
  return verify('sha256', info, key, signature);
};

/** The only place where leaves are signed. */
export const signLeaf = (leaf: RecordedLeaf, issuerKey: KeyObject): Uint8Array => {
  const { tbs, algorithm } = leaf.spend();
  return sealCertificate(tbs, algorithm, sign(algorithm.digest, tbs, issuerKey));
};

/** RFC 7093 §2 (1), for a P-256 SubjectPublicKeyInfo: no SHA-1 where nothing needs it. */
export const keyIdOf = (spki: Uint8Array): Uint8Array => sha256(publicPoint(spki)).subarray(0, 20);

export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

/** The critical extensions that webpki processes (contract/proxy.md §3.4). */
const knownExtensions: ReadonlySet<string> = new Set([
  '2.5.29.15',
  '2.5.29.17',
  '2.5.29.19',
  '2.5.29.30',
  '2.5.29.37',
]);

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

/** Reads what decides over a CA certificate. The libraries must agree on it: ours on the raw names, @peculiar/x509 on the extensions. */
export const readCaCertificate = (der: Uint8Array): Parsed<CaCertificate> => {
  const fields = readCertificate(der);
  if (!fields.ok) return fields;
  try {
    const certificate = new X509Certificate(der as Uint8Array<ArrayBuffer>);
    const constraints = certificate.getExtension(BasicConstraintsExtension);
    const usages = certificate.getExtension(KeyUsagesExtension)?.usages;
    const keyId = certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId;
    const { subject, issuer, notBefore, notAfter, algorithm, extensions, spki } = fields.value;
    return parsed({
      der,
      subject,
      issuer,
      name: certificate.subject === '' ? 'a certificate without subject' : certificate.subject,
      serial: certificate.serialNumber,
      notBefore,
      notAfter,
      ca: constraints?.ca === true ? { pathLength: constraints.pathLength } : undefined,
      signsCertificates: usages === undefined || (usages & KeyUsageFlags.keyCertSign) !== 0,
      key: issuerKeyOf(createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' })),
      signedWith: verifiable.get(algorithm.toHex()),
      keyId: keyId === undefined ? sha256(spki).subarray(0, 20) : Uint8Array.fromHex(keyId),
      purposes: certificate.getExtension(ExtendedKeyUsageExtension)?.usages.map(String),
      unknownCritical: extensions
        .filter(({ oid, critical }) => critical && !knownExtensions.has(oid))
        .map(({ oid }) => oid),
    });
  } catch (error) {
    return problem('certificate', `it cannot be read (${String(error)})`, 'use an X.509 v3 certificate');
  }
};

const issuerKeyOf = (key: KeyObject): CaCertificate['key'] => {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? 'unknown';
  if (type === 'ec') return curves.get(namedCurve ?? '') ?? { unsupported: `ECDSA ${namedCurve}` };
  if (type !== 'rsa') return { unsupported: type };
  // The sizes that webpki verifies (contract/proxy.md §3.4).
  return modulusLength >= 2048 && modulusLength <= 8192 ? 'RSA' : { unsupported: `RSA ${modulusLength}` };
};

const curves: ReadonlyMap<string, IssuerKey> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

export const isSignedBy = (child: CaCertificate, parent: CaCertificate): boolean =>
  new NodeCertificate(child.der).verify(new NodeCertificate(parent.der).publicKey);

/** Whether the private key is the one of the certificate. */
export const isKeyOf = (key: KeyObject, certificate: CaCertificate): boolean =>
  new NodeCertificate(certificate.der).checkPrivateKey(key);
